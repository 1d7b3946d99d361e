import { describe, expect, test } from "vitest"
import type { Tokenizer } from "../../../../main/engine/tokenizer/tokenizer.ts"
import { AppError } from "../../../../shared/schema/error.ts"
import { type Change, changed, type Editable } from "./golden-tokenizers.ts"

describe("a tokenizer.json that cannot be used is refused by name", () => {
  const refusal = (kind: string, change: Change, use: (tokenizer: Tokenizer) => unknown = () => {}) => {
    try {
      use(changed(kind, change))
    } catch (error) {
      expect(error).toBeInstanceOf(AppError)
      return `${(error as AppError).code}: ${(error as AppError).message}`
    }
    return "accepted"
  }

  test.each<[string, Change, RegExp]>([
    ["no model", (json) => Reflect.deleteProperty(json, "model"), /no model/],
    ["a model that is a list", (json) => (json.model = [] as never), /model: .*expected object/],
    ["an unknown model type", (json) => (json.model.type = "Oracle"), /"Oracle" is not supported/],
    ["a model type from the prototype", (json) => (json.model.type = "constructor"), /"constructor" is not supported/],
    ["a vocabulary that is a number", (json) => (json.model.vocab = 7 as never), /model\.vocab is missing/],
    ["an empty vocabulary", (json) => Object.assign(json, { added_tokens: [], model: { ...json.model, vocab: {}, merges: [] } }), /empty/],
    ["an id that is no number", (json) => (json.model.vocab.a = "1"), /id of "a" is "1"/],
    ["a negative id", (json) => (json.model.vocab.a = -1), /id of "a" is -1/],
    ["a huge id", (json) => (json.model.vocab.a = 2 ** 31), /id of "a" is 2147483648/],
    ["an id twice", (json) => (json.model.vocab.a = json.model.vocab.b), /both have the id/],
    ["a vocabulary full of holes", (json) => (json.model.vocab.zzz = 4_000_000), /have no token/],
    ["merges that are missing", (json) => delete json.model.merges, /model\.merges is not a list/],
    ["a merge that is no pair", (json) => (json.model.merges![3] = ["a"]), /model\.merges\.3 is not a pair/],
    ["a merge of unknown tokens", (json) => json.model.merges!.push(["a", "nothing like it"]), /names "nothing like it"/],
    ["an added token with two ids", (json) => (json.added_tokens[0]!.id = 400), /"<\|endoftext\|>" has two ids/],
    [
      "an added token on another's id",
      (json) => (json.added_tokens[0]! = { ...json.added_tokens[0]!, content: "<new>" }),
      /both have the id 0/,
    ],
    ["an added token without text", (json) => (json.added_tokens[0]!.content = ""), /added_tokens\.0\.content/],
    ["half a surrogate pair", (json) => (json.model.vocab["\ud800"] = 320), /not valid Unicode/],
    [
      "an unknown pre-tokenizer",
      (json) => (json.pre_tokenizer.pretokenizers![0]!.type = "Tarot"),
      /pre_tokenizer\.pretokenizers\.0: the type "Tarot"/,
    ],
    ["an unknown decoder", (json) => (json.decoder = { type: "Runes" }), /decoder: the type "Runes"/],
    ["an unknown normalizer", (json) => (json.normalizer = { type: "Soap" }), /normalizer: the type "Soap"/],
    ["a pattern that is none", (json) => (json.pre_tokenizer = split("(((")), /the pattern "\(\(\(" cannot be used/],
    ["a pattern without end", (json) => (json.pre_tokenizer = split("a".repeat(10_000))), /pre_tokenizer/],
    ["a post-processor without the id", (json) => (json.post_processor = template({})), /names the token "<x>" without its id/],
    ["a post-processor with a strange id", (json) => (json.post_processor = template({ "<x>": { ids: [5000] } })), /the id 5000/],
  ])("%s", (_, change, message) => {
    const text = refusal("smollm", change)
    expect(text).toMatch(/^bad_file: tokenizer\.json: /)
    expect(text).toMatch(message)
  })

  const split = (pattern: string) => ({ type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false })
  const template = (special_tokens: object) => ({
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<x>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [],
    special_tokens,
  })

  test("words that are unknown, where no token stands for them", () => {
    for (const type of ["WordPiece", "WordLevel"]) {
      const change: Change = (json) => Object.assign(json.model, { type, unk_token: "<none>" })
      expect(refusal("smollm", change, (tokenizer) => tokenizer.encode("a"))).toBe("accepted")
      expect(refusal("smollm", change, (tokenizer) => tokenizer.encode("q∞"))).toMatch(/^bad_file: .*"<none>" is not in the vocabulary/)
    }
  })

  test.each<[string, unknown, RegExp]>([
    ["a precompiled map without its array", { type: "Precompiled", precompiled_charsmap: "/////w==" }, /does not have the array/],
    ["a precompiled map of three bytes", { type: "Precompiled", precompiled_charsmap: "AAAA" }, /map of 3 bytes/],
    ["pieces of no length", { type: "FixedLength", length: 0 }, /pre_tokenizer\.length/],
    ["a delimiter of two characters", { type: "CharDelimiterSplit", delimiter: "ab" }, /must be one character/],
  ])("%s", (_, step, message) => {
    const part = (step as { type: string }).type === "Precompiled" ? "normalizer" : "pre_tokenizer"
    expect(refusal("smollm", (json) => Object.assign(json, { [part]: step }))).toMatch(message)
  })

  test("sequences in sequences without end", () => {
    const text = refusal("smollm", (json) => {
      let inner: object = { type: "Digits" }
      for (let i = 0; i < 5000; i++) inner = { type: "Sequence", pretokenizers: [inner] }
      json.pre_tokenizer = inner as Editable["pre_tokenizer"]
    })
    expect(text).toMatch(/^bad_file: tokenizer\.json: pre_tokenizer: sequences lie more than 8 deep/)
  })

  test("a pattern that takes exponential time ends with an error", () => {
    const text = refusal(
      "smollm",
      (json) => (json.pre_tokenizer = split("(?:a+)+$")),
      (tokenizer) => tokenizer.encode(`${"a".repeat(50)}b`),
    )
    expect(text).toMatch(/^bad_file: tokenizer\.json: .*took too long/)
  }, 20_000)

  test("a pattern of the decoder that takes exponential time ends with an error", () => {
    const change: Change = (json) => {
      json.added_tokens.push({ id: 400, content: `${"a".repeat(50)}b` })
      json.decoder = { type: "Replace", pattern: { Regex: "(?:a+)+$" }, content: "" }
    }
    expect(refusal("smollm", change, (tokenizer) => tokenizer.decode([400]))).toMatch(/^bad_file: tokenizer\.json: .*took too long/)
  }, 20_000)

  test("a precompiled map whose replacement does not end", () => {
    // One entry, for "a": the root, its child with a leaf, the leaf; and no byte that ends the replacement.
    const units = new Uint32Array(256).fill(0)
    units[0] = 1 << 10
    units[1 ^ 0x61] = 0x61 | (1 << 8) | (0x10 << 10)
    units[1 ^ 0x61 ^ 0x10] = 0x80000000
    const bytes = Buffer.concat([Buffer.from(Uint32Array.of(1024).buffer), Buffer.from(units.buffer), Buffer.alloc(300, 0x62)])
    const normalizer = (content: Buffer) => ({ type: "Precompiled", precompiled_charsmap: content.toString("base64") })
    expect(refusal("smollm", (json) => (json.normalizer = normalizer(bytes)))).toMatch(/more than 256 bytes or no end/)
    const ended = Buffer.concat([bytes.subarray(0, -299), Buffer.alloc(1)])
    const tokenizer = changed("smollm", (json) => (json.normalizer = normalizer(ended)))
    expect(tokenizer.decode(tokenizer.encode("banana"))).toBe("bbnbnb")
  })

  test("a unigram model whose pieces need too much memory", () => {
    const pieces = Array.from({ length: 70 }, (_, i) => [`${i}${"x".repeat(65_000)}`, -1])
    const change: Change = (json) => Object.assign(json, { added_tokens: [], model: { type: "Unigram", unk_id: 0, vocab: pieces } })
    expect(refusal("smollm", change)).toMatch(/more than 4194304 nodes/)
  }, 20_000)

  test("a normalizer that lets the text explode", () => {
    const text = refusal(
      "smollm",
      (json) => (json.normalizer = { type: "Replace", pattern: { String: "a" }, content: "a".repeat(256) }),
      (tokenizer) => tokenizer.encode("a".repeat(10_000)),
    )
    expect(text).toMatch(/^bad_file: tokenizer\.json: its normalizer makes 2560000 characters of 10000/)
  })

  test("a few unused ids are no damage", () => {
    expect(changed("smollm", (json) => (json.model.vocab.zzz = 1000)).vocabSize).toBe(1001)
  })
})
