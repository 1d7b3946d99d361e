// Metadata of GGUF -> config.json, and what of it is refused.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { readGguf } from "../../../main/models/gguf.ts"
import { readGgufModel } from "../../../main/models/gguf-model.ts"
import { roleOfGguf } from "../../../main/models/gguf-names.ts"
import { type GgufRope, ropeScaling } from "../../../main/models/gguf-rope.ts"
import { ggufBytes, ggufNumber, ggufTensor, ggufText, models, packed, refusal, temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()

for (const [file, source] of [
  ["llama-bpe-bf16", "llama-rope-llama3"],
  ["llama-spm-mixed", "llama-tied-sharded"],
  ["qwen2-q4_0", "qwen2"],
] as const) {
  test(`${file}: the configuration and the names of the model it was made from`, async () => {
    const { config, tensors, generationConfig } = await readGgufModel(join(models, `gguf/${file}.gguf`))
    const original = JSON.parse(readFileSync(join(models, source, "config.json"), "utf8"))
    const rope = original.rope_parameters ?? { rope_type: "default", rope_theta: original.rope_theta }
    for (const key of ["architectures", "model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"]) {
      expect(config?.[key]).toEqual(original[key])
    }
    for (const key of ["num_key_value_heads", "max_position_embeddings", "rms_norm_eps", "vocab_size", "bos_token_id", "eos_token_id"]) {
      expect(config?.[key]).toEqual(original[key])
    }
    expect(config?.tie_word_embeddings).toBe(true)
    expect(config?.rope_theta).toBe(rope.rope_theta)
    const { rope_theta: _, ...scaling } = rope
    expect(config?.rope_scaling).toEqual(rope.rope_type === "default" ? null : scaling)
    expect(generationConfig).toEqual({ eos_token_id: [original.eos_token_id] })
    expect(tensors.every(({ name }) => name.startsWith("model."))).toBe(true)
  })
}

test("names", () => {
  expect(roleOfGguf("blk.12.ffn_down.weight")).toBe("layers.12.down")
  expect(roleOfGguf("blk.0.attn_q.bias")).toBe("layers.0.q.bias")
  expect(roleOfGguf("output.weight")).toBe("head")
  for (const name of [
    "blk.0.attn_foo.weight",
    "blk.x.attn_q.weight",
    "constructor",
    "blk.0.constructor.weight",
    "blk.0.attn_q.scale",
    "attn_q.weight",
  ]) {
    expect(roleOfGguf(name)).toBeNull()
  }
})

const plain: GgufRope = {
  theta: 500000,
  headDim: 128,
  contextLength: 8192,
  scalingType: undefined,
  factor: undefined,
  originalContext: undefined,
}

test("rotary scaling from the metadata", async () => {
  expect(ropeScaling(plain, null)).toBeNull()
  expect(ropeScaling({ ...plain, scalingType: "none", factor: 4 }, null)).toBeNull()
  expect(ropeScaling({ ...plain, scalingType: "linear", factor: 4 }, null)).toEqual({ rope_type: "linear", factor: 4 })
  expect(ropeScaling({ ...plain, scalingType: "yarn", factor: 4, originalContext: 2048 }, null)).toEqual({
    ...{ rope_type: "yarn", factor: 4, original_max_position_embeddings: 2048 },
  })
  expect((await refusal(() => ropeScaling({ ...plain, scalingType: "longrope", factor: 4 }, null))).message).toMatch(/`longrope`/)
})

test("factors that are no llama3 scaling stay as they are", () => {
  const factors = Array.from({ length: 64 }, (_, i) => 1 + i * i)
  expect(ropeScaling(plain, factors)).toMatchObject({
    rope_type: "longrope",
    short_factor: factors,
    long_factor: factors,
    attention_factor: 1,
  })
  expect(ropeScaling(plain, Array(64).fill(1))).toMatchObject({ rope_type: "longrope" })
})

test("the rotary factors of Llama 3.2", () => {
  // As convert_hf_to_gguf computes them for factor 32, 1 to 4, 8192.
  const factors = Array.from({ length: 64 }, (_, i) => {
    const wavelength = 2 * Math.PI * 500000 ** (i / 64)
    if (wavelength < 2048) return 1
    if (wavelength > 8192) return 32
    const smooth = (8192 / wavelength - 1) / 3
    return Math.fround(1 / ((1 - smooth) / 32 + smooth))
  })
  expect(ropeScaling(plain, factors)).toEqual({
    ...{ rope_type: "llama3", factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 },
  })
})

const float = (key: string, value: number) => packed(key, ["u32", 6], ["f32", value])
const numbers = (key: string, values: number[]) =>
  packed(key, ["u32", 9], ["u32", 4], ["u64", values.length], ...values.map((value) => packed(["u32", value])))

const needed: Record<string, Buffer> = {
  "general.architecture": ggufText("general.architecture", "llama"),
  "llama.block_count": ggufNumber("llama.block_count", 1),
  "llama.context_length": ggufNumber("llama.context_length", 64),
  "llama.embedding_length": ggufNumber("llama.embedding_length", 8),
  "llama.feed_forward_length": ggufNumber("llama.feed_forward_length", 8),
  "llama.attention.head_count": ggufNumber("llama.attention.head_count", 2),
  "llama.attention.layer_norm_rms_epsilon": float("llama.attention.layer_norm_rms_epsilon", 1e-5),
}
const embedding = ggufTensor("token_embd.weight", [8, 4], 0, 0)
let made = 0

function file(change: Record<string, Buffer | null> = {}, tensors = [embedding], dataBytes = 1024): string {
  const pairs = Object.values({ ...needed, ...change }).filter((pair) => pair !== null)
  const path = join(folder, `${made++}.gguf`)
  writeFileSync(path, ggufBytes(pairs, tensors, dataBytes))
  return path
}

test("the least that a Llama must say", async () => {
  const { config, reason } = await readGgufModel(file())
  expect(reason).toBeNull()
  expect(config).toMatchObject({
    head_dim: 4,
    num_key_value_heads: 2,
    rope_theta: 10000,
    vocab_size: 4,
    tie_word_embeddings: true,
    torch_dtype: "float32",
  })
})

test("Mistral is a Llama with a window; lists of equal values are one value", async () => {
  const window = { "llama.attention.sliding_window": ggufNumber("llama.attention.sliding_window", 16) }
  expect((await readGgufModel(file(window))).config).toMatchObject({ architectures: ["MistralForCausalLM"], sliding_window: 16 })
  const heads = { "llama.attention.head_count_kv": numbers("llama.attention.head_count_kv", [1, 1]) }
  expect((await readGgufModel(file(heads))).config).toMatchObject({ num_key_value_heads: 1 })
})

const unsupported: [name: string, path: () => string, reason: RegExp][] = [
  ["experts", () => file({ x: ggufNumber("llama.expert_count", 8) }), /Mixtures of experts \(8\)/],
  ["layers that differ", () => file({ x: numbers("llama.attention.head_count_kv", [1, 2]) }), /differ in llama\.attention\.head_count_kv/],
  ["values of another width", () => file({ x: ggufNumber("llama.attention.value_length", 8) }), /width 8 beside keys of 4/],
  ["partly rotated heads", () => file({ x: ggufNumber("llama.rope.dimension_count", 2) }), /2 of 4 dimensions/],
  ["another attention scale", () => file({ x: float("llama.attention.scale", 0.1) }), /attention scale of 0\.1/],
  [
    "unknown tensors",
    () => file({}, [embedding, ggufTensor("blk.0.attn_q_norm.weight", [8], 0, 128)]),
    /blk\.0\.attn_q_norm\.weight is not known/,
  ],
  ["another architecture", () => file({ "general.architecture": ggufText("general.architecture", "gemma4") }), /`gemma4`/],
  ["a name of the prototype", () => file({ "general.architecture": ggufText("general.architecture", "constructor") }), /`constructor`/],
]
for (const [name, path, reason] of unsupported) {
  test(`not supported: ${name}`, async () => {
    const found = await readGgufModel(path())
    expect(found).toMatchObject({ config: null, reason: expect.stringMatching(reason) })
    expect(found.tensors[0]?.name).toBe("token_embd.weight")
  })
}

const damaged: [name: string, path: () => string, message: RegExp][] = [
  ["no layers", () => file({ "llama.block_count": null }), /metadata llama lacks block_count/],
  ["zero heads", () => file({ "llama.attention.head_count": ggufNumber("llama.attention.head_count", 0) }), /head_count is 0/],
  ["text for a number", () => file({ "llama.block_count": ggufText("llama.block_count", "1") }), /block_count is 1/],
  [
    "epsilon NaN",
    () => file({ "llama.attention.layer_norm_rms_epsilon": float("llama.attention.layer_norm_rms_epsilon", Number.NaN) }),
    /epsilon is NaN/,
  ],
  [
    "heads that do not share the width",
    () => file({ "llama.embedding_length": ggufNumber("llama.embedding_length", 9) }),
    /width of 9 cannot be shared by 2 heads/,
  ],
  ["no embedding", () => file({}, []), /token_embd\.weight is missing/],
  [
    "rotary factors of another length",
    () => file({}, [embedding, ggufTensor("rope_freqs.weight", [3], 0, 128)]),
    /is F32 \[3\], expected F32 \[2\]/,
  ],
  ["rotary factors of zero", () => file({}, [embedding, ggufTensor("rope_freqs.weight", [2], 0, 128)]), /holds 0 at 0/],
]
for (const [name, path, message] of damaged) {
  test(`damaged: ${name}`, async () => {
    expect(await refusal(() => readGgufModel(path()))).toMatchObject({ code: "bad_file", message: expect.stringMatching(message) })
  })
}

test("more tokens than rows are refused", async () => {
  const tokens = packed("tokenizer.ggml.tokens", ["u32", 9], ["u32", 8], ["u64", 5], "a", "b", "c", "d", "e")
  expect((await refusal(() => readGgufModel(file({ tokens })))).message).toMatch(
    /has 5 tokens, but tensor token_embd\.weight has only 4 rows/,
  )
})

test("a file without a model in it is read by the header reader only", async () => {
  const path = join(models, "gguf/kinds.gguf")
  expect((await readGguf(path)).tensors.length).toBeGreaterThan(11)
  expect((await refusal(() => readGgufModel(path))).code).toBe("bad_file")
})
