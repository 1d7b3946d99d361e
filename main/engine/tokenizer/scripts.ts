// The split by scripts that Hugging Face's tokenizers took from SentencePiece: kana counts as Han, a space as any script, and what
// stands before the first character that is no space belongs to no piece.
const names =
  "Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille " +
  "Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Common Coptic Cuneiform Cypriot Cyrillic Deseret " +
  "Devanagari Duployan Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han Hangul " +
  "Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada " +
  "Katakana Kayah_Li Kharoshthi Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Malayalam " +
  "Mandaic Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar " +
  "Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_South_Arabian " +
  "Old_Turkic Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan " +
  "Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham " +
  "Tai_Viet Takri Tamil Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Ugaritic Vai Warang_Citi Yi"

const scripts = names.split(" ").map((name) => ({ name, test: new RegExp(`^\\p{Script=${name}}$`, "u") }))
const known = new Map<string, string>()

function scriptOf(character: string): string {
  let script = known.get(character)
  if (script === undefined) {
    script = scripts.find(({ test }) => test.test(character))?.name ?? "Any"
    if (character === " ") script = "Any"
    if (character === "ー" || script === "Hiragana" || script === "Katakana") script = "Han"
    known.set(character, script)
  }
  return script
}

export function splitByScript(text: string): string[] {
  const starts: number[] = []
  let last: string | null = null
  let at = 0
  for (const character of text) {
    const script = scriptOf(character)
    if (script !== "Any") {
      if (script !== last) starts.push(at)
      last = script
    }
    at += character.length
  }
  return starts.map((start, i) => text.slice(start, starts[i + 1]))
}
