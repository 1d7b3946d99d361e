// What `tokenizer.ggml.pre` stands for: the normalizer and pre-tokenizer that the model's own tokenizer.json had. The names are
// llama.cpp's. Only those are here whose original is known; an approximation would change the tokens without a word.
import {
  bailingPattern,
  bloomPattern,
  deepseek3Patterns,
  deepseekCoderPatterns,
  deepseekLlmPatterns,
  falconDigitsPattern,
  llama3Pattern,
  o200kPattern,
  qwen2Pattern,
  qwen35Pattern,
  seedCoderPattern,
  tekkenPattern,
} from "../engine/tokenizer/patterns.ts"

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

const cl100k = preTokenization(inOrder(split(llama3Pattern), plainBytes))
const o200k = preTokenization(inOrder(split(o200kPattern), plainBytes))
const bloom = preTokenization(inOrder(split(bloomPattern), plainBytes))
const deepseek3 = preTokenization(inOrder(...deepseek3Patterns.map(split), plainBytes))
const gptNeox = preTokenization(gpt2Bytes, { normalizer: nfc })
/** The later steps see the byte alphabet. */
const falcon = preTokenization(
  inOrder(
    { type: "Punctuation", behavior: "Contiguous" },
    gpt2Bytes,
    { type: "Digits", individual_digits: false },
    split(falconDigitsPattern),
  ),
)

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
  "deepseek-llm": preTokenization(inOrder(...deepseekLlmPatterns.map(split), digits, plainBytes)),
  "deepseek-v3": deepseek3,
  "hunyuan-dense": deepseek3,
  jais: gpt2,
  mpt: gptNeox,
  olmo: gptNeox,
  codeshell: digitsApart,
  falcon,
  falcon3: llama3,
  "falcon-h1": llama3,
  "midm-2.0": llama3,
  lfm2: llama3,
  dbrx: cl100k,
  glm4: cl100k,
  "chatglm-bpe": cl100k,
  stablelm2: qwen2,
  hunyuan: { ...qwen2, normalizer: null },
  "grok-2": { ...qwen2, normalizer: null },
  qwen35: preTokenization(inOrder(split(qwen35Pattern), plainBytes), { normalizer: nfc }),
  bloom,
  "poro-chat": bloom,
  "gpt3-finnish": bloom,
  "gpt-4o": o200k,
  llama4: o200k,
  kanana2: o200k,
  "minimax-m2": o200k,
  "seed-coder": preTokenization(inOrder(split(seedCoderPattern), plainBytes)),
  bailingmoe: preTokenization(inOrder(split(bailingPattern), plainBytes)),
}

/** Null: a name that is not known here. */
export function preTokenizationOf(name: string): PreTokenization | null {
  return Object.hasOwn(known, name) ? known[name]! : null
}
