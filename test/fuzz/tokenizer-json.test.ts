// tokenizer.json and GGUF vocabularies from strangers: each damage gives a working tokenizer or an AppError.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { createTokenizer } from "../../main/engine/tokenizer/tokenizer.ts"
import { type GgufValue, readGguf } from "../../main/models/gguf.ts"
import { tokenizerFromGguf } from "../../main/models/gguf-tokenizer.ts"
import type { TokenizerSource } from "../../main/models/opened-model.ts"
import { AppError } from "../../shared/schema/error.ts"
import { damageJson, seeded } from "./damage.ts"

const durationMs = 2000
const seed = 20240

const sources = [
  "test/fixtures/models/llama",
  "test/fixtures/models/llama-rope-llama3",
  "test/fixtures/models/qwen2",
  "test/fixtures/models/llama-tied-sharded",
  "test/fixtures/models/mistral",
  "test/golden/tokenizers/unigram",
]
  .map((folder) => ["tokenizer.json", "tokenizer_config.json"].map((name) => readFileSync(`${folder}/${name}`, "utf8")))
  .concat(
    ["t5", "unigram-bytes", "bert", "word-level", "continued", "openai-gpt", "falcon", "steps-inverted", "steps-ctc", "steps-next"].map(
      (name) => [readFileSync(`test/golden/tokenizers/families/${name}.json`, "utf8"), "{}"],
    ),
  )

const hostile: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, "", "a", "▁", "<s>", "\ud800", "\u0000", "a".repeat(300)],
  ...["BPE", "Unigram", "Sequence", "Split", "Replace", "Metaspace", "ByteLevel", "Removed", "MergedWithNext", "first", "__proto__"],
  ...["(a+)+$", "(?:)", "[", "\\p{L}", "(?<=a)|b", "x{0,99999}", "\\s*$", "$&$1"],
  ...[[], {}, [[]], ["a", "b"], [["a", "b"]], { type: "Fuse" }, { type: "Lowercase" }, { type: "Sequence" }],
  ...[{ String: "" }, { String: "a" }, { Regex: "." }, { Regex: "(a|aa)+$" }, { Regex: "" }, { SpecialToken: { id: "<s>", type_id: 0 } }],
]

const text = "Hello <s>wörld</s> 12 😀\ufeff  <|im_end|>\n\n aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"

/** Whatever the tokenizer gives must hold together. */
function use(source: TokenizerSource): void {
  const tokenizer = createTokenizer(source)
  const ids = tokenizer.encode(text, { addSpecial: true })
  expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize)).toBe(true)
  const stream = tokenizer.stream({ skipSpecial: true })
  const parts = [...ids.map((id) => stream.push([id])), stream.end()]
  expect(parts.join("")).toBe(tokenizer.decode(ids, { skipSpecial: true }))
}

function check(round: number, work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    if (!(error instanceof AppError)) throw new Error(`seed ${seed}, round ${round}: ${(error as Error).message}`, { cause: error })
    expect(["bad_file", "unsupported"], `seed ${seed}, round ${round}`).toContain(error.code)
    expect(error.message.length).toBeLessThan(1000)
    return false
  }
}

test("damaged tokenizer.json", () => {
  const random = seeded(seed)
  const end = performance.now() + durationMs
  const counts = { used: 0, refused: 0 }
  for (let round = 0; performance.now() < end; round++) {
    const [json, config] = sources[round % sources.length]!.map((content) => JSON.parse(content))
    for (let i = 0; i < 1 + random() * 2; i++) damageJson(random, random() < 0.9 ? json : config, hostile)
    counts[check(round, () => use({ json, config, chatTemplate: null })) ? "used" : "refused"]++
  }
  expect(counts.used).toBeGreaterThan(0)
  expect(counts.refused).toBeGreaterThan(0)
}, 60_000)

test("damaged vocabularies of GGUF files", async () => {
  const files = await Promise.all(["llama-bpe-bf16", "llama-spm-mixed"].map((name) => readGguf(`test/fixtures/models/gguf/${name}.gguf`)))
  const random = seeded(seed)
  const end = performance.now() + durationMs / 2
  const counts = { used: 0, refused: 0 }
  for (let round = 0; performance.now() < end; round++) {
    const metadata: Record<string, GgufValue> = structuredClone({ ...files[round % 2]!.metadata })
    for (const key of Object.keys(metadata)) if (!key.startsWith("tokenizer.")) delete metadata[key]
    damageJson(random, metadata, hostile)
    const work = () => {
      const source = tokenizerFromGguf(metadata)
      if (source) use(source)
    }
    counts[check(round, work) ? "used" : "refused"]++
  }
  expect(counts.used).toBeGreaterThan(0)
  expect(counts.refused).toBeGreaterThan(0)
}, 60_000)
