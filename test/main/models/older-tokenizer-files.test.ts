import { copyFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { createTokenizer } from "../../../main/engine/tokenizer/tokenizer.ts"
import { readTokenizer } from "../../../main/models/folder-tokenizer.ts"
import {
  type Expected,
  expectAgreement,
  expectIds,
  expectStreams,
  type Family,
  families,
  folder,
  mixedLines,
} from "../engine/tokenizer/golden-families.ts"
import { models, refusal, temporaryFolder } from "./made-files.ts"

const scratch = temporaryFolder()

/** A folder with these files: texts, or paths of files to copy. */
function folderWith(files: Record<string, string>): string {
  const path = mkdtempSync(join(scratch, "tokenizer-"))
  for (const [name, content] of Object.entries(files)) {
    if (existsSync(content)) copyFileSync(content, join(path, name))
    else writeFileSync(join(path, name), content)
  }
  return path
}

async function tokenizerOf(files: Record<string, string>) {
  const source = await readTokenizer(folderWith(files))
  return createTokenizer(source!)
}

const modelFile = (name: string) => `${folder}/sentencepiece/${name}/tokenizer.model`
const converted = families.filter((family) => family.folder !== undefined)
const open = (family: Family) =>
  tokenizerOf({ "tokenizer.model": `${folder}/${family.folder}/tokenizer.model`, "tokenizer_config.json": JSON.stringify(family.config) })

test.each(converted.filter((family) => family.ids))(
  "$name agrees with what transformers makes of it",
  async (family) => {
    expectAgreement(await open(family), family as Expected)
  },
  60_000,
)

test.each(converted.filter((family) => family.sentencepiece))(
  "$name agrees with SentencePiece itself",
  async (family) => {
    const { without, except, ...expected } = family.sentencepiece!
    const kept = mixedLines.filter((line) => !without.some((text) => line.includes(text)))
    expect(kept.length).toBeGreaterThan(1500)
    const lines = kept.filter((_, i) => !except.includes(i))
    expectIds(await open(family), lines, expected)
  },
  60_000,
)

test.each(converted)(
  "$name streams what it decodes",
  async (family) => {
    expectStreams(await open(family))
  },
  60_000,
)

test("tokenizer.model alone: names of special tokens, and the one in front of a text", async () => {
  const source = await readTokenizer(folderWith({ "tokenizer.model": modelFile("llama") }))
  expect(source?.config).toMatchObject({ bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>" })
  const tokenizer = createTokenizer(source!)
  expect(tokenizer.encode("", { addSpecial: true })).toEqual([1])
  expect([
    tokenizer.isSpecial(1),
    tokenizer.isSpecial(tokenizer.idOf("<control>")!),
    tokenizer.isSpecial(tokenizer.idOf("<tool>")!),
  ]).toEqual([true, true, false])
})

test("tokens that only other files number", async () => {
  const config = {
    added_tokens_decoder: { "1": { content: "<s>", special: true }, "641": { content: "<|user|>", special: true, rstrip: true } },
  }
  const tokenizer = await tokenizerOf({
    "tokenizer.model": modelFile("llama"),
    "tokenizer_config.json": JSON.stringify(config),
    "added_tokens.json": '{"<|plain|>": 640, "<s>": 1}',
  })
  expect(tokenizer.encode("<|user|> \n<|plain|>")).toEqual([641, 640])
  expect([tokenizer.isSpecial(641), tokenizer.isSpecial(640)]).toEqual([true, false])
})

describe("vocab.json and merges.txt", () => {
  const source = (name: string) => JSON.parse(readFileSync(`${folder}/families/${name}.json`, "utf8"))
  /** The older files of a family, its added tokens in the vocabulary as GPT-2 has them. */
  function older(name: string, config: Record<string, unknown>): Record<string, string> {
    const { model, added_tokens } = source(name)
    const special = Object.fromEntries(added_tokens.map((token: { content: string; id: number }) => [token.content, token.id]))
    return {
      "vocab.json": JSON.stringify({ ...model.vocab, ...special }),
      "merges.txt": `#version: 0.2\n${model.merges.map((pair: string[]) => pair.join(" ")).join("\n")}\n`,
      "tokenizer_config.json": JSON.stringify(config),
    }
  }

  test.each<[string, Record<string, unknown>]>([
    ["gpt2", { eos_token: "<|endoftext|>" }],
    ["qwen3", { tokenizer_class: "Qwen2Tokenizer", pad_token: "<|endoftext|>", eos_token: "<|im_end|>" }],
  ])("%s", async (name, config) => {
    const made = await tokenizerOf(older(name, config))
    const original = createTokenizer({ json: source(name), config: {}, chatTemplate: null })
    const lines = mixedLines.filter((line) => !line.includes("<"))
    for (const line of lines) expect(made.encode(line)).toEqual(original.encode(line))
    expect(made.encode(`a${String((config.eos_token as string) ?? "")}`)).toEqual(original.encode(`a${config.eos_token}`))
  })

  test("the token in front, as special_tokens_map.json names it", async () => {
    const files = { ...older("opt", { add_bos_token: true }), "special_tokens_map.json": '{"bos_token": {"content": "</s>"}}' }
    const tokenizer = await tokenizerOf(files)
    expect(tokenizer.encode("a", { addSpecial: true })).toEqual([tokenizer.idOf("</s>"), tokenizer.idOf("a")])
    expect(tokenizer.isSpecial(tokenizer.idOf("</s>")!)).toBe(true)
  })
})

describe("refused", () => {
  const whole = readFileSync(modelFile("gemma"))
  const field = (number: number, wire: number) => (number << 3) | wire

  test.each<[string, Buffer, RegExp]>([
    ["an empty file", Buffer.alloc(0), /it has no pieces/],
    ["cut off", whole.subarray(0, 1001), /a field of \d+ bytes has only \d+/],
    ["a number without end", Buffer.alloc(20, 0xff), /more than ten bytes/],
    ["a number that is cut off", Buffer.from([0x80]), /cut off/],
    ["a group", Buffer.from([field(1, 3)]), /no field/],
    ["a length below zero", Buffer.from([field(1, 2), 0xff, 0xff, 0xff, 0xff, 0x0f]), /a field of -1 bytes/],
    ["a piece that is not UTF-8", Buffer.from([field(1, 2), 3, field(1, 2), 1, 0xff]), /piece 0 is not UTF-8/],
    ["a score that is none", Buffer.from([field(1, 2), 5, field(2, 5), 0, 0, 0xc0, 0x7f]), /piece 0 has the score NaN/],
  ])("%s", async (_, bytes, message) => {
    const path = folderWith({})
    writeFileSync(join(path, "tokenizer.model"), bytes)
    expect(await refusal(() => readTokenizer(path))).toMatchObject({ code: "bad_file", message: expect.stringMatching(message) })
  })

  test.each<[string, Record<string, string | Buffer>, RegExp]>([
    [
      "words",
      { "tokenizer.model": Buffer.from([...[field(1, 2), 3, field(1, 2), 1, 0x61], ...[field(2, 2), 2, field(3, 0), 3]]) },
      /of the type 3/,
    ],
    ["tiktoken", { "tokenizer.model": "IQ== 0\nIg== 1\n" }, /is a tiktoken vocabulary/],
    ["tekken", { "tekken.json": "{}" }, /tekken\.json: a tokenizer in this form/],
    ["BERT's list", { "vocab.txt": "[UNK]\n" }, /vocab\.txt: a tokenizer in this form/],
  ])("%s", async (_, files, message) => {
    const path = folderWith({})
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
    expect(await refusal(() => readTokenizer(path))).toMatchObject({ code: "unsupported", message: expect.stringMatching(message) })
  })

  test("every damage of a byte is a tokenizer or an error of ours", async () => {
    const path = folderWith({})
    for (let at = 0; at < 400; at++) {
      const damaged = Buffer.from(whole)
      damaged[(at * 7919) % damaged.length]! ^= 1 << (at % 8)
      writeFileSync(join(path, "tokenizer.model"), damaged)
      const code = await readTokenizer(path).then(
        () => "read",
        (error: { code?: string }) => error.code,
      )
      expect(["read", "bad_file", "unsupported"], `change ${at}`).toContain(code)
    }
  }, 60_000)
})

test("a folder without any of them has no tokenizer", async () => {
  expect(await readTokenizer(join(models, "llama-nf4"))).toBeNull()
  expect(await readTokenizer(folderWith({ "merges.txt": "a b\n" }))).toBeNull()
})
