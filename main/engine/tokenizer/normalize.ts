// Normalization: what happens to a whole text before it is split.
import { spaceEnd, spaceStart } from "./added.ts"
import { badTokenizer } from "./json.ts"
import { compilePattern } from "./patterns.ts"
import { compilePrecompiled } from "./precompiled.ts"
import type { Normalizer } from "./steps.ts"
import { byteLevelText } from "./text.ts"

export type Normalize = (text: string) => string

/** A character may become so many; the longest compatibility decomposition has 18. */
const maxGrowth = 32

export function compileNormalizers(normalizers: Normalizer[]): Normalize {
  const steps = normalizers.map(compileNormalizer)
  return (text) => {
    const longest = text.length * maxGrowth + 65_536
    let value = text
    for (const step of steps) {
      value = step(value)
      if (value.length > longest) throw badTokenizer(`its normalizer makes ${value.length} characters of ${text.length}`)
    }
    return value
  }
}

function compileNormalizer(step: Normalizer): Normalize {
  switch (step.type) {
    case "Prepend":
      return (text) => (text === "" ? "" : step.prepend + text)
    case "Replace": {
      const pattern = compilePattern(step.pattern)
      return (text) => text.replace(pattern, () => step.content)
    }
    case "Strip":
      return (text) => {
        const start = step.strip_left ? spaceEnd(text, 0) : 0
        return text.slice(start, step.strip_right ? spaceStart(text, text.length, start) : undefined)
      }
    case "Lowercase":
      return lowercase
    case "StripAccents":
      return (text) => text.replace(/\p{M}/gu, "")
    case "Nmt":
      return (text) => text.replace(nmtRemoved, "").replace(nmtSpace, " ")
    case "ByteLevel":
      return byteLevelText
    case "Precompiled":
      return compilePrecompiled(step.precompiled_charsmap ?? "")
    case "BertNormalizer":
      return compileBert(step)
    default:
      return (text) => text.normalize(step.type)
  }
}

/** Character by character: a sigma at the end of a word becomes no other than one in it. */
function lowercase(text: string): string {
  return text.replaceAll("Σ", "σ").toLowerCase()
}

// The lists of SentencePiece's rule "nmt_nfkc" as Hugging Face's tokenizers have them.
const nmtRemoved = characters([0x1, 0x8], [0xb, 0xb], [0xe, 0x1f], [0x7f, 0x7f], [0x8f, 0x8f], [0x9f, 0x9f])
const nmtSpace = characters(
  [0x9, 0xa],
  [0xc, 0xd],
  [0x1680, 0x1680],
  [0x200b, 0x200f],
  [0x2028, 0x2029],
  [0x2581, 0x2581],
  [0xfeff, 0xfeff],
  [0xfffd, 0xfffd],
)

/** Ideographs as BERT counts them: neither kana nor hangul. */
const ideographs = characters(
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfaff],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  // Not from 0x2b820 on: the lists of Hugging Face's tokenizers begin here.
  [0x2b920, 0x2ceaf],
  [0x2f800, 0x2fa1f],
)

function characters(...ranges: [first: number, last: number][]): RegExp {
  const escaped = ranges.map((ends) => ends.map((code) => `\\u{${code.toString(16)}}`).join("-"))
  return new RegExp(`[${escaped.join("")}]`, "gu")
}

function compileBert(step: Extract<Normalizer, { type: "BertNormalizer" }>): Normalize {
  const stripsAccents = step.strip_accents ?? step.lowercase
  return (text) => {
    let value = text
    if (step.clean_text) value = value.replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\ufffd]/gu, "").replace(/\p{White_Space}/gu, " ")
    if (step.handle_chinese_chars) value = value.replace(ideographs, " $& ")
    if (stripsAccents) value = value.normalize("NFD").replace(/\p{Mn}/gu, "")
    return step.lowercase ? lowercase(value) : value
  }
}
