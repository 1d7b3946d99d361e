// What `tokenizer.ggml.pre` stands for: the normalizer and pre-tokenizer that the model's own tokenizer.json had. The names are
// llama.cpp's. Only those are here whose original is known; an approximation would change the tokens without a word.
import { deepseek3Patterns, deepseekCoderPatterns, llama3Pattern, qwen2Pattern, tekkenPattern } from "../engine/token-patterns.ts"

export interface PreTokenization {
  normalizer: Record<string, unknown> | null
  preTokenizer: Record<string, unknown>
  /** A piece that is a token as it stands is not merged. */
  ignoreMerges: boolean
  /** Where the file does not say. */
  addsBos: boolean
}

const digits = { type: "Digits", individual_digits: true }
const gpt2Bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true }
const plainBytes = { ...gpt2Bytes, use_regex: false }
const nfc = { type: "NFC" }

const split = (pattern: string) => ({ type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false })
const inOrder = (...pretokenizers: Record<string, unknown>[]) => ({ type: "Sequence", pretokenizers })

function preTokenization(preTokenizer: Record<string, unknown>, more: Partial<PreTokenization> = {}): PreTokenization {
  return { normalizer: null, ignoreMerges: false, addsBos: false, ...more, preTokenizer }
}

const gpt2 = preTokenization(gpt2Bytes)
const digitsApart = preTokenization(inOrder(digits, gpt2Bytes))
const llama3 = preTokenization(inOrder(split(llama3Pattern), plainBytes), { ignoreMerges: true, addsBos: true })
const qwen2 = preTokenization(inOrder(split(qwen2Pattern), plainBytes), { normalizer: nfc })

const known: Record<string, PreTokenization> = {
  default: gpt2,
  "gpt-2": gpt2,
  "phi-2": gpt2,
  smollm: digitsApart,
  starcoder: digitsApart,
  refact: digitsApart,
  "command-r": { ...digitsApart, normalizer: nfc },
  "llama-bpe": llama3,
  llama3,
  "llama-v3": llama3,
  "smaug-bpe": { ...llama3, ignoreMerges: false, addsBos: false },
  qwen2,
  "deepseek-r1-qwen": { ...qwen2, normalizer: null },
  tekken: preTokenization(inOrder(split(tekkenPattern), plainBytes), { ignoreMerges: true, addsBos: true }),
  "deepseek-coder": preTokenization(inOrder(...deepseekCoderPatterns.map(split), digits, plainBytes)),
  "deepseek-v3": preTokenization(inOrder(...deepseek3Patterns.map(split), plainBytes)),
}

/** Null: a name that is not known here. */
export function preTokenizationOf(name: string): PreTokenization | null {
  return Object.hasOwn(known, name) ? known[name]! : null
}
