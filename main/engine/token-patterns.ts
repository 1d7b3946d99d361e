// Regular expressions of tokenizers: the ones of well-known families by name, and the translation from Oniguruma's syntax to
// JavaScript's, which @huggingface/tokenizers brings.
//
// A pattern from a stranger can take exponential time ("(a+)+$"). Nothing cheap tells such a pattern from a good one, so: a
// pattern is at most 8192 characters long, and unless it is one of the known ones below, which are linear, encoding runs under a
// time limit (time-limit.ts). A hostile pattern thus costs some seconds and an error, not the engine.
import { SplitPreTokenizer } from "@huggingface/tokenizers"
import { badTokenizer, type Pattern } from "./token-json.ts"

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const words = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
const punctuation = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
const space = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
const upper = "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
const lower = "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"

export const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
export const llama3Pattern = `${contractions}|${words}|\\p{N}{1,3}|${punctuation}|${space}`
export const qwen2Pattern = `${contractions}|${words}|\\p{N}|${punctuation}|${space}`
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
export const digitPattern = "\\p{N}"
export const digitsPattern = "\\p{N}+"

const linearPatterns = new Set([
  gpt2Pattern,
  llama3Pattern,
  qwen2Pattern,
  tekkenPattern,
  ...deepseek3Patterns,
  ...deepseekCoderPatterns,
  digitPattern,
  digitsPattern,
])

export function isLinear(pattern: Pattern): boolean {
  return "String" in pattern || linearPatterns.has(pattern.Regex)
}

const syntaxCharacters = /[.*+?^${}()|[\]\\/]/g

/** With the flags g and u. */
export function compilePattern(pattern: Pattern): RegExp {
  if ("String" in pattern) return new RegExp(pattern.String === "" ? "(?!)" : pattern.String.replace(syntaxCharacters, "\\$&"), "gu")
  try {
    const split = new SplitPreTokenizer({ type: "Split", pattern, behavior: "Isolated" })
    if (split.pattern) return split.pattern
  } catch (error) {
    throw badTokenizer(`the pattern ${shortened(pattern.Regex)} cannot be used: ${(error as Error).message.slice(0, 200)}`, error)
  }
  throw badTokenizer(`the pattern ${shortened(pattern.Regex)} cannot be used`)
}

function shortened(pattern: string): string {
  return JSON.stringify(pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern)
}
