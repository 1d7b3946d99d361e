// The whole way: every fixture model opened, loaded into the engine and its logits compared with PyTorch's (test/golden).
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, join } from "node:path"
import { expect, test } from "vitest"
import type { EngineAddon, NativeModel } from "../../../main/engine/addon-types.ts"
import { openModel } from "../../../main/models/open.ts"
import { readSafetensors } from "../../../main/models/safetensors.ts"
import { changeJson, configFolder, copyOf, llamaConfig, models, refusal, temporaryFolder, top } from "./made-files.ts"

const folder = temporaryFolder()
const engine = createRequire(import.meta.url)(process.env.NIBBLE_ENGINE ?? join(top, "dist/engine.node")) as EngineAddon

async function golden(path: string, tensor: string) {
  const file = join(top, "test/golden", `${path}.safetensors`)
  const { offset, bytes } = (await readSafetensors(file)).tensors.find(({ name }) => name === tensor)?.data ?? { offset: 0, bytes: 0 }
  const about = JSON.parse(readFileSync(join(top, "test/golden", `${path}.json`), "utf8")) as {
    tokens: number[]
    greedy: number[] | Record<string, number[]>
  }
  const greedy = Array.isArray(about.greedy) ? about.greedy : about.greedy[tensor]
  return {
    tokens: about.tokens,
    greedy,
    logits: new Float32Array(new Uint8Array(readFileSync(file).subarray(offset, offset + bytes)).buffer),
  }
}

async function logitsOf(model: NativeModel, tokens: number[]): Promise<Float32Array> {
  const path = join(folder, "logits.bin")
  writeFileSync(path, "")
  await model.logits({ tokens, path, offset: 0 }).promise
  return new Float32Array(new Uint8Array(readFileSync(path)).buffer)
}

/** Largest difference as a share of the largest value. */
function worst(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length)
  const difference = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))), 0)
  return difference / expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

// Keys and values are kept in fp16 (2^-11), blocks of GGUF too, and one int8 code in a thousand of bitsandbytes' CPU backend is a
// tie that went the other way: up to 2.8e-3 was measured. Without the rotary scaling or the window it is 0.9 and more.
const allowed = 5e-3

const cases: [model: string, golden: string, tensor: string, most?: number][] = [
  ...["llama", "llama-bias", "llama-rope-linear", "llama-rope-llama3", "llama-tied-sharded", "mistral", "qwen2"].map(
    (name): [string, string, string] => [name, `models/${name}`, "stored"],
  ),
  ...["nf4", "nf4-dq", "fp4", "int8"].map((format): [string, string, string] => [`llama-${format}`, "models/llama", format]),
  ...["llama-bpe-bf16", "llama-spm-mixed", "qwen2-q4_0", "llama-few-bits"].map((name): [string, string, string] => [
    `gguf/${name}.gguf`,
    `gguf/${name}`,
    "logits",
  ]),
  ["gguf/llama-split-00002-of-00003.gguf", "gguf/llama-split", "logits"],
]
/** Made with all that the engine rounds; what is left is a last bit of fp32, which can turn a rounding of a key or value the other way. */
const sameRounding = 2 * 2 ** -11
const exactCases = readdirSync(join(models, "../gguf-architectures")).map((file): [string, string, string, number] => {
  return [`../gguf-architectures/${file}`, `gguf-architectures/${file.replace(/\.gguf$/, "")}`, "logits", sameRounding]
})
for (const [name, path, tensor, most = allowed] of [...cases, ...exactCases]) {
  test(`${name}: logits and greedy continuation`, async () => {
    const opened = await openModel(join(models, name))
    const { tokens, greedy, logits } = await golden(path, tensor)
    const options = {
      source: opened.source,
      context: 64,
      compute: "f32" as const,
      isExact: true,
      threads: 1,
      backend: "auto",
      memoryLimitBytes: 0,
    }
    const model = await engine.loadModel(options, () => {}).promise
    expect(worst(await logitsOf(model, tokens), logits)).toBeLessThan(most)
    const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 0 }
    const made = await model.generate({ tokens, maxNewTokens: greedy?.length ?? 0, sampling, stopTokens: [] }, () => undefined).promise
    expect(made.tokens).toEqual(greedy)
    model.dispose()
  })
}

test("a folder as the engine host sees it", async () => {
  const opened = await openModel(join(models, "llama-tied-sharded"))
  expect(opened).toMatchObject({
    kind: "folder",
    name: "llama-tied-sharded",
    architecture: "LlamaForCausalLM",
    dtype: "bf16",
    stopTokens: [2],
  })
  expect(opened.files.map((file) => basename(file))).toEqual([1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`))
  expect(opened.tensors).toHaveLength(20)
  expect(opened.tensors[0]).toMatchObject({ name: "model.embed_tokens.weight", shape: [384, 96], dtype: "BF16", encoding: "bf16" })
  expect(opened.decoder).toMatchObject({ hasTiedHead: true, nHeads: 6, nKvHeads: 2, headDim: 16 })
  expect(opened.source).toEqual({ files: opened.files, decoder: opened.decoder, tensors: expect.any(Array) })
  expect(opened.source.tensors.map(({ role }) => role).slice(0, 3)).toEqual(["embed", "layers.0.attn_norm", "layers.0.q"])
  expect(opened.tokenizer?.chatTemplate).toMatch(/^\{\{ bos_token \}\}/)
  expect(opened.inspection.tensors).toHaveLength(20)
})

test("a GGUF file as the engine host sees it", async () => {
  const opened = await openModel(join(models, "gguf/llama-bpe-bf16.gguf"))
  expect(opened).toMatchObject({
    kind: "gguf",
    name: "llama-bpe-bf16",
    architecture: "LlamaForCausalLM",
    dtype: "bf16",
    stopTokens: [319],
  })
  expect(opened.tensors.find(({ name }) => name === "model.layers.1.self_attn.k_proj.weight")).toMatchObject({
    shape: [16, 48],
    unpermuteHeads: 1,
  })
  expect(opened.source.tensors.find(({ role }) => role === "layers.0.q")?.unpermuteHeads).toBe(3)
  expect(opened.source.tensors.find(({ role }) => role === "layers.0.v")).not.toHaveProperty("unpermuteHeads")
  expect(opened.tokenizer?.chatTemplate).toMatch(/bos_token/)
  const source = await openModel(join(models, "llama-rope-llama3"))
  const frequencies = source.decoder.ropes[0]?.invFreq
  expect(frequencies).toHaveLength(8)
  for (const [i, frequency] of frequencies?.entries() ?? []) {
    expect((opened.decoder.ropes[0]?.invFreq[i] as number) / frequency).toBeCloseTo(1, 6)
  }
})

test("a head of its own is used, also where config.json calls it tied", async () => {
  const path = copyOf("llama", folder)
  changeJson(join(path, "config.json"), (config) => ({ ...config, tie_word_embeddings: true }))
  const { decoder, source } = await openModel(path)
  expect(decoder.hasTiedHead).toBe(false)
  expect(source.tensors.at(-1)).toMatchObject({ role: "head", name: "lm_head.weight" })
})

test("what cannot run is refused with its reason", async () => {
  const foo = configFolder(folder, { ...llamaConfig, architectures: ["Foo"] })
  expect(await refusal(() => openModel(foo))).toMatchObject({ code: "unsupported", message: "Architecture `Foo` is not supported yet." })
  const pickled = configFolder(folder, llamaConfig)
  writeFileSync(join(pickled, "pytorch_model.bin"), "x")
  expect(await refusal(() => openModel(pickled))).toMatchObject({
    ...{ code: "unsupported", message: "Only pickled .bin weights: refused, they can run code." },
  })
  expect(await refusal(() => openModel(configFolder(folder, llamaConfig)))).toMatchObject({
    ...{ code: "not_found", message: expect.stringContaining("has no weights") },
  })
})

test("a tensor that is missing or of another shape is named, with the numbers", async () => {
  const missing = copyOf("llama", folder)
  changeJson(join(missing, "config.json"), (config) => ({ ...config, num_hidden_layers: 3 }))
  expect(await refusal(() => openModel(missing))).toMatchObject({
    code: "bad_file",
    message: expect.stringMatching(/model\.layers\.2\.input_layernorm\.weight is missing; LlamaForCausalLM needs it with shape \[64\]/),
  })
  const wrong = copyOf("llama", folder)
  changeJson(join(wrong, "config.json"), (config) => ({ ...config, intermediate_size: 130 }))
  expect(await refusal(() => openModel(wrong))).toMatchObject({
    code: "bad_file",
    message: expect.stringMatching(/gate_proj\.weight has shape \[128, 64\], expected \[130, 64\]/),
  })
  const biased = copyOf("llama", folder)
  changeJson(join(biased, "config.json"), (config) => ({ ...config, attention_bias: true }))
  expect((await refusal(() => openModel(biased))).message).toMatch(/q_proj\.bias is missing/)
})

test("codes without scales are no weights", async () => {
  const path = copyOf("llama-int8", folder)
  const file = join(path, "model.safetensors")
  const bytes = readFileSync(file)
  writeFileSync(file, Buffer.from(bytes.toString("latin1").replaceAll(".SCB", ".XCB"), "latin1"))
  expect((await refusal(() => openModel(path))).message).toMatch(/q_proj\.weight holds I8 codes without the scales/)
})

test("no path is no model", async () => {
  expect((await refusal(() => openModel(join(folder, "none")))).code).toBe("not_found")
  expect((await refusal(() => openModel(""))).code).toBe("not_found")
  expect((await refusal(() => openModel("a\0b"))).code).toBe("bad_input")
  expect(await refusal(() => openModel(join(models, "llama/model.safetensors")))).toMatchObject({
    code: "bad_input",
    hint: expect.any(String),
  })
  expect((await refusal(() => openModel(join(models, "llama/config.json")))).code).toBe("bad_input")
  const empty = join(folder, "empty.gguf")
  writeFileSync(empty, "")
  expect((await refusal(() => openModel(empty))).code).toBe("bad_file")
  rmSync(empty)
})
