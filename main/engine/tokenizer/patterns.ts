// Regular expressions of tokenizers: the ones of well-known families by name, and the translation from Oniguruma's syntax to
// JavaScript's, which @huggingface/tokenizers brings.
//
// A pattern from a stranger can take exponential time ("(a+)+$"). Nothing cheap tells such a pattern from a good one, so: a
// pattern is at most 8192 characters long, and unless it is one of the known ones below, which are linear, encoding runs under a
// time limit (time-limit.ts). A hostile pattern thus costs some seconds and an error, not the engine.
import { SplitPreTokenizer } from "@huggingface/tokenizers"
import { badTokenizer } from "./json.ts"
import type { Pattern } from "./steps.ts"

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const words = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
const punctuation = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
const space = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
const upper = "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
const lower = "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"

export const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
export const llama3Pattern = `${contractions}|${words}|\\p{N}{1,3}|${punctuation}|${space}`
export const qwen2Pattern = `${contractions}|${words}|\\p{N}|${punctuation}|${space}`
export const qwen35Pattern = `${contractions}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${space}`
export const seedCoderPattern = `${contractions}|${words}|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${space}`
export const bailingPattern =
  "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"
export const tekkenPattern =
  `[^\\r\\n\\p{L}\\p{N}]?[${upper}]*[${lower}]+|[^\\r\\n\\p{L}\\p{N}]?[${upper}]+[${lower}]*` +
  `|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${space}`
export const deepseek3Patterns = [
  "\\p{N}{1,3}",
  "[一-龥぀-ゟ゠-ヿ]+",
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+" +
    `| ?[\\p{P}\\p{S}]+[\\r\\n]*|${space}`,
]
export const deepseekCoderPatterns = ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+"]
const contractionsAfter = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
export const o200kPattern =
  `[^\\r\\n\\p{L}\\p{N}]?[${upper}]*[${lower}]+${contractionsAfter}|[^\\r\\n\\p{L}\\p{N}]?[${upper}]+[${lower}]*${contractionsAfter}` +
  `|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${space}`
export const bloomPattern = " ?[^(\\s|[.,!?…。，、।۔،])]+"
/** Letters with case as Unicode had them in 2018. */
const casedLetters =
  "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377" +
  "\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5" +
  "\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d" +
  "\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4" +
  "\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d" +
  "\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4" +
  "\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06" +
  "\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}" +
  "\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\u{1e900}-\u{1e943}]+"
export const deepseekLlmPatterns = [
  "[\r\n]",
  casedLetters,
  "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
  "\\s+$",
  "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+",
]
export const falconDigitsPattern = "[0-9][0-9][0-9]"
export const digitPattern = "\\p{N}"
export const digitsPattern = "\\p{N}+"

const linearPatterns = new Set([
  gpt2Pattern,
  llama3Pattern,
  qwen2Pattern,
  tekkenPattern,
  qwen35Pattern,
  seedCoderPattern,
  bailingPattern,
  ...deepseek3Patterns,
  ...deepseekCoderPatterns,
  ...deepseekLlmPatterns,
  o200kPattern,
  bloomPattern,
  falconDigitsPattern,
  " {2,}",
  digitPattern,
  digitsPattern,
])

export function isLinear(pattern: Pattern): boolean {
  return "String" in pattern || linearPatterns.has(pattern.Regex)
}

/** The same matches without trying every start in a run of white space. */
const faster = new Map([["\\s+$", "(?<!\\s)\\s+$"]])

const syntaxCharacters = /[.*+?^${}()|[\]\\/]/g

/** With the flags g and u. */
export function compilePattern(pattern: Pattern): RegExp {
  if ("String" in pattern) return new RegExp(pattern.String === "" ? "(?!)" : pattern.String.replace(syntaxCharacters, "\\$&"), "gu")
  try {
    const written = faster.get(pattern.Regex) ?? pattern.Regex
    const foldedPattern = { Regex: written.replace(caselessGroup, (_, body: string) => `(?:${foldedLetters(body)})`) }
    const split = new SplitPreTokenizer({ type: "Split", pattern: foldedPattern, behavior: "Isolated" })
    if (split.pattern) return split.pattern
  } catch (error) {
    throw badTokenizer(`the pattern ${shortened(pattern.Regex)} cannot be used: ${(error as Error).message.slice(0, 200)}`, error)
  }
  throw badTokenizer(`the pattern ${shortened(pattern.Regex)} cannot be used`)
}

/** A group without regard to case that holds only characters and simple lists of them: contractions. */
const caselessGroup = /\(\?i:([^()\\-]*)\)/g

/** Each letter as the list of all that fold to it; the translation knows only ASCII, Oniguruma also the long s and the Kelvin sign. */
function foldedLetters(body: string): string {
  let isInList = false
  let folded = ""
  for (const character of body) {
    if (character === "[") isInList = true
    if (character === "]") isInList = false
    const lower = character.toLowerCase()
    const others = { s: "ſ", k: "\u212a" }[lower] ?? ""
    const letters = /[a-z]/.test(lower) ? lower + lower.toUpperCase() + others : character
    folded += letters === character || isInList ? letters : `[${letters}]`
  }
  return folded
}

function shortened(pattern: string): string {
  return JSON.stringify(pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern)
}
