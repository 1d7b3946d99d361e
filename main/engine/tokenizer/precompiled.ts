// SentencePiece's precompiled normalizer: a double array (Darts) from UTF-8 to places in a list of replacements, in base64.
// Bytes: 4 for the length of the array, the array in units of 4, the replacements, each ended by a zero; all little-endian.
// Applied as Hugging Face's tokenizers do, which take the shortest entry that a grapheme begins with.
import { badTokenizer } from "./json.ts"

const maxGraphemeBytes = 5
/** The longest published replacement has 33 bytes. */
const maxReplacementBytes = 256

export function compilePrecompiled(base64: string): (text: string) => string {
  const bytes = Buffer.from(base64, "base64")
  if (bytes.length === 0) return (text) => text
  const trieBytes = bytes.length < 4 ? Number.NaN : bytes.readUInt32LE(0)
  if (!(trieBytes > 0 && trieBytes % 4 === 0 && 4 + trieBytes <= bytes.length)) {
    throw badTokenizer(`normalizer: the precompiled map of ${bytes.length} bytes does not have the array that it announces`)
  }
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + i * 4))
  const replacements = bytes.subarray(4 + trieBytes)
  const encoder = new TextEncoder()
  const known = new Map<string, string | null>()

  /** The value of the shortest entry that the bytes begin with, or -1. */
  function shortestMatch(key: Uint8Array): number {
    let at = offsetOf(units[0]!)
    for (const byte of key) {
      if (byte === 0) return -1
      at ^= byte
      const unit = units[at]
      if (unit === undefined || labelOf(unit) !== byte) return -1
      at ^= offsetOf(unit)
      if (!hasLeaf(unit)) continue
      const leaf = units[at]
      return leaf === undefined ? -1 : leaf & 0x7fffffff
    }
    return -1
  }

  function lookUp(text: string): string | null {
    const place = shortestMatch(encoder.encode(text))
    if (place < 0 || place >= replacements.length) return null
    const end = replacements.subarray(place, place + maxReplacementBytes + 1).indexOf(0)
    if (end < 0) throw badTokenizer(`normalizer: a replacement in the precompiled map has more than ${maxReplacementBytes} bytes or no end`)
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(replacements.subarray(place, place + end))
  }

  /** Null: it stays as it is. */
  function replacement(text: string): string | null {
    let found = known.get(text)
    if (found === undefined) {
      found = lookUp(text)
      if (known.size > 100_000) known.clear()
      known.set(text, found)
    }
    return found
  }

  const printable = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i))
  const keepsPrintable = printable.every((character) => replacement(character) === null)

  function normalizeGrapheme(grapheme: string): string {
    if (grapheme.length <= maxGraphemeBytes && encoder.encode(grapheme).length <= maxGraphemeBytes) {
      const whole = replacement(grapheme)
      if (whole !== null) return whole
    }
    let text = ""
    for (const character of grapheme) text += replacement(character) ?? character
    return text
  }

  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })
  const normalizeAll = (text: string) => {
    let value = ""
    for (const { segment } of segmenter.segment(text)) value += normalizeGrapheme(segment)
    return value
  }
  // Printable ASCII joins no grapheme but at its ends, and segmenting is slow.
  return keepsPrintable ? (text) => text.replace(/[ -~]?[^ -~]+[ -~]?/g, normalizeAll) : normalizeAll
}

// The unit of a double array: bits 0 to 7 and 31 a label, 8 whether a leaf follows, 9 whether the offset is in steps of 256, 10 on
// the offset. A unit with bit 31 set is a leaf and matches no byte.
const labelOf = (unit: number) => (unit & 0x800000ff) >>> 0
const hasLeaf = (unit: number) => ((unit >>> 8) & 1) === 1
const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6)
