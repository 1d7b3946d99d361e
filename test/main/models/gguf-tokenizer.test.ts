import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { createTokenizer } from "../../../main/engine/tokenizer/tokenizer.ts"
import { type GgufValue, readGguf } from "../../../main/models/gguf.ts"
import { tokenizerFromGguf } from "../../../main/models/gguf-tokenizer.ts"
import { parseSentencePiece } from "../../../main/models/sentencepiece-tokenizer-file.ts"
import { AppError } from "../../../shared/schema/error.ts"

import { expectIds, families, mixedLines } from "../engine/tokenizer/golden-families.ts"

const golden: { texts: string[]; tokenizers: { kind: string; ids: number[][]; with_special: { before: number[]; after: number[] } }[] } =
  JSON.parse(readFileSync("test/golden/tokenizers/cases.json", "utf8"))

const files = ["llama-bpe-bf16", "llama-spm-mixed", "qwen2-q4_0"].map((name) => {
  const about: { file: string; source: string; tokenizer_kind: string } = JSON.parse(readFileSync(`test/golden/gguf/${name}.json`, "utf8"))
  return { ...about, name }
})

async function metadataOf(name: string): Promise<Record<string, GgufValue>> {
  return { ...(await readGguf(`test/fixtures/models/gguf/${name}.gguf`)).metadata }
}

const read = (path: string) => JSON.parse(readFileSync(path, "utf8"))

describe.each(files)("$name", ({ name, source, tokenizer_kind }) => {
  test("gives the tokens of the model it was made from", async () => {
    const expected = golden.tokenizers.find((each) => each.kind === tokenizer_kind)!
    const tokenizer = createTokenizer(tokenizerFromGguf(await metadataOf(name))!)
    for (const [i, text] of golden.texts.entries()) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(expected.ids[i])
    const { before, after } = expected.with_special
    expect(tokenizer.encode("Hello", { addSpecial: true })).toEqual([...before, ...tokenizer.encode("Hello"), ...after])
  })

  test("has the parts of that model's tokenizer.json", async () => {
    const made = tokenizerFromGguf(await metadataOf(name))!
    const original = read(`${source}/tokenizer.json`)
    for (const part of ["normalizer", "pre_tokenizer", "decoder", "added_tokens"]) expect(made.json[part], part).toEqual(original[part])
    const model = made.json.model as Record<string, unknown>
    for (const key of ["type", "unk_token", "fuse_unk", "byte_fallback", "ignore_merges"])
      expect(model[key], key).toEqual(original.model[key])
    // The original keeps added tokens outside the model's vocabulary, unless they come first.
    expect(model.vocab).toMatchObject(original.model.vocab)
    const config = read(`${source}/tokenizer_config.json`)
    for (const key of ["bos_token", "eos_token", "clean_up_tokenization_spaces"]) expect(made.config[key], key).toEqual(config[key])
    expect(made.chatTemplate).toBe(made.config.chat_template)
    expect(made.chatTemplate).toMatch(/message/)
  })
})

test("merges are the original's where it is a list, and rebuilt from scores to the same list where it is not", async () => {
  for (const { name, source } of files) {
    const made = tokenizerFromGguf(await metadataOf(name))!.json.model as { merges: unknown }
    expect(made.merges, name).toEqual(read(`${source}/tokenizer.json`).model.merges)
  }
})

test("equal scores: the longer left part goes first, then the order of the vocabulary", () => {
  const tokens = ["<unk>", "a", "b", "ab", "ba", "aba", "\u{1f600}", "\u{1f600}a"]
  const scores = [0, -9, -9, -1, -1, -1, -9, -0.5]
  const made = tokenizerFromGguf({ ...sentencePiece(tokens), "tokenizer.ggml.scores": scores })!
  const pairs = [
    ["\u{1f600}", "a"],
    ["ab", "a"],
    ["a", "ba"],
    ["a", "b"],
    ["b", "a"],
  ]
  expect((made.json.model as { merges: unknown }).merges).toEqual(pairs)
})

function sentencePiece(tokens: string[]): Record<string, GgufValue> {
  return { "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.scores": tokens.map(() => 0) }
}

function byteLevel(more: Record<string, GgufValue> = {}): Record<string, GgufValue> {
  const tokens = ["a", "b", "ab", "1", "12", "<eos>", "<tool>"]
  return {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.merges": ["a b"],
    "tokenizer.ggml.token_type": [1, 1, 1, 1, 1, 3, 4],
    "tokenizer.ggml.eos_token_id": 5,
    ...more,
  }
}

test("control tokens are special, user-defined ones are not; both are found in a text", () => {
  const source = tokenizerFromGguf(byteLevel())!
  const tokenizer = createTokenizer(source)
  expect(tokenizer.encode("ab<eos><tool>a")).toEqual([2, 5, 6, 0])
  expect([tokenizer.isSpecial(5), tokenizer.isSpecial(6)]).toEqual([true, false])
  expect(source.config.eos_token).toBe("<eos>")
  expect(source.chatTemplate).toBeNull()
})

test("start and end tokens are added as the file says", () => {
  const named = { "tokenizer.ggml.bos_token_id": 6, "tokenizer.ggml.add_bos_token": true, "tokenizer.ggml.add_eos_token": true }
  const source = tokenizerFromGguf(byteLevel(named))!
  expect(createTokenizer(source).encode("a", { addSpecial: true })).toEqual([6, 0, 5])
  expect(source.config).toMatchObject({ add_bos_token: true, add_eos_token: true })
  expect(createTokenizer(tokenizerFromGguf(byteLevel())!).encode("a", { addSpecial: true })).toEqual([0])
})

test("a SentencePiece vocabulary without the space in front", () => {
  const tokens = ["<unk>", "<s>", "</s>", "▁", "a", "▁a"]
  const plain = createTokenizer(tokenizerFromGguf({ ...sentencePiece(tokens), "tokenizer.ggml.add_space_prefix": false })!)
  expect(plain.encode("a a")).toEqual([4, 5])
  expect(plain.decode([5, 4])).toBe(" aa")
  const prefixed = createTokenizer(tokenizerFromGguf(sentencePiece(tokens))!)
  expect(prefixed.encode("a a", { addSpecial: true })).toEqual([1, 5, 5])
  expect(prefixed.decode([5, 4])).toBe("aa")
})

test.each([
  ["default", "a12 b", ["a", "12", " b"]],
  ["gpt-2", "a12 b", ["a", "12", " b"]],
  ["smollm", "a12 b", ["a", "1", "2", " b"]],
  ["smollm", "½² ٣", ["½", "²", " ", "٣"]],
  ["qwen2", "it's 12", ["it", "'s", " ", "1", "2"]],
  ["llama-bpe", "IT'S 12345", ["IT", "'S", " ", "123", "45"]],
  ["tekken", "helloWorld //", ["hello", "World", " //"]],
  ["deepseek-coder", "ab 12\n", ["ab", " ", "1", "2", "\n"]],
  ["deepseek-v3", ".abc 1234", [".abc", " ", "123", "4"]],
  // Its range from : to ~ holds the letters of ASCII.
  ["deepseek-llm", "ne\u00e9 12, x", ["ne", "\u00e9", " ", "1", "2", ",", " x"]],
  ["falcon", "a--b12345 c", ["a", "--", "b", "123", "45", " c"]],
  ["mpt", "a12 b", ["a", "12", " b"]],
  ["dbrx", "IT'S 12345", ["IT", "'S", " ", "123", "45"]],
  ["stablelm2", "it's 12", ["it", "'s", " ", "1", "2"]],
  ["qwen35", "कि 12", ["कि", " ", "1", "2"]],
  ["bloom", "ab, 12", ["ab", ",", " 12"]],
  ["gpt-4o", "helloWorld's 1234", ["hello", "World's", " ", "123", "4"]],
  ["seed-coder", "a 12\n", ["a", " ", "1", "2", "\n"]],
  ["bailingmoe", "I'LL 12", ["I", "'LL", " ", "1", "2"]],
])("the pre-tokenizer %s splits as its family does", (pre, text, pieces) => {
  // A vocabulary with a token for each piece and no merges: only a piece that is a token as a whole is found with ignore_merges.
  const written = pieces.map((piece) => [...new TextEncoder().encode(piece)].map((byte) => byteCharacter(byte)).join(""))
  const singles = Array.from({ length: 256 }, (_, byte) => byteCharacter(byte))
  const tokens = [...new Set([...singles, ...written])]
  const source = tokenizerFromGguf({ ...byteLevel(), "tokenizer.ggml.pre": pre, ...vocabulary(tokens) })!
  const tokenizer = createTokenizer({
    ...source,
    json: { ...source.json, model: { ...(source.json.model as object), ignore_merges: true } },
  })
  expect(tokenizer.encode(text).map((id) => tokenizer.decode([id]))).toEqual(pieces)
})

function vocabulary(tokens: string[]): Record<string, GgufValue> {
  return { "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": tokens.map(() => 1), "tokenizer.ggml.merges": [] }
}

function byteCharacter(byte: number): string {
  if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173)) return String.fromCharCode(byte)
  const others = Array.from({ length: 256 }, (_, each) => each).filter(
    (each) => !((each >= 33 && each <= 126) || (each >= 161 && each !== 173)),
  )
  return String.fromCharCode(256 + others.indexOf(byte))
}

test("a unigram vocabulary gives SentencePiece's tokens, its precompiled map included", async () => {
  const file = parseSentencePiece(readFileSync("test/golden/tokenizers/sentencepiece/t5/tokenizer.model"), "tokenizer.model")
  const source = tokenizerFromGguf({
    "tokenizer.ggml.model": "t5",
    "tokenizer.ggml.tokens": file.pieces,
    "tokenizer.ggml.scores": file.scores,
    "tokenizer.ggml.token_type": file.types,
    // As numbers with a sign, like some files have them.
    "tokenizer.ggml.precompiled_charsmap": [...new Int8Array(file.charsmap)],
  })
  const tokenizer = createTokenizer(source!)
  const { without, except, ...expected } = families.find((family) => family.folder === "sentencepiece/t5")!.sentencepiece!
  const lines = mixedLines.filter((line) => !without.some((text) => line.includes(text))).filter((_, i) => !except.includes(i))
  expectIds(tokenizer, lines, expected)
  expect(tokenizer.encode("a", { addSpecial: true }).at(-1)).toBe(file.eosId)
}, 60_000)

describe("refused", () => {
  test("no tokenizer at all is none", () => {
    expect(tokenizerFromGguf({})).toBeNull()
  })

  test.each<[string, Record<string, GgufValue>, string, RegExp]>([
    ["bert", { "tokenizer.ggml.model": "bert" }, "unsupported", /"bert"/],
    [
      "a map that is text",
      { ...sentencePiece(["a"]), "tokenizer.ggml.model": "t5", "tokenizer.ggml.precompiled_charsmap": "x" },
      "bad_file",
      /list of bytes/,
    ],
    ["an unknown pre-tokenizer", byteLevel({ "tokenizer.ggml.pre": "tea-leaves" }), "unsupported", /"tea-leaves"/],
    ["a name from the prototype", byteLevel({ "tokenizer.ggml.pre": "constructor" }), "unsupported", /"constructor"/],
    ["tokens that are numbers", byteLevel({ "tokenizer.ggml.tokens": [1, 2] }), "bad_file", /tokens has an entry that is no text/],
    ["no tokens", byteLevel({ "tokenizer.ggml.tokens": [] }), "bad_file", /tokens is empty/],
    ["a token twice", byteLevel({ "tokenizer.ggml.tokens": ["a", "a"] }), "bad_file", /"a" has two ids, 0 and 1/],
    ["too few types", byteLevel({ "tokenizer.ggml.token_type": [1] }), "bad_file", /token_type has 1 entries for 7 tokens/],
    [
      "merges that are no pairs",
      byteLevel({ "tokenizer.ggml.merges": ["ab"] }),
      "bad_file",
      /merges has an entry that is no pair, number 0/,
    ],
    ["no scores", { "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["a"] }, "bad_file", /scores is missing/],
    [
      "a score that is none",
      { ...sentencePiece(["a"]), "tokenizer.ggml.scores": [Number.NaN] },
      "bad_file",
      /scores is not a list of numbers/,
    ],
  ])("%s", (_, metadata, code, message) => {
    let thrown: unknown
    try {
      tokenizerFromGguf(metadata)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(AppError)
    expect((thrown as AppError).code).toBe(code)
    expect((thrown as AppError).message).toMatch(message)
  })

  test("an id outside the vocabulary names nothing", () => {
    expect(tokenizerFromGguf(byteLevel({ "tokenizer.ggml.eos_token_id": 4_294_967_295 }))!.config.eos_token).toBeUndefined()
  })
})
