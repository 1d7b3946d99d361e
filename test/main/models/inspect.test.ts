import { chmodSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { inspectModel } from "../../../main/models/inspect.ts"
import { safetensorsHeader } from "../../../main/models/safetensors.ts"
import { ModelInspection } from "../../../shared/schema/model.ts"
import {
  changeJson,
  configFolder,
  copyOf,
  ggufBytes,
  ggufNumber,
  ggufTensor,
  ggufText,
  llamaConfig,
  models,
  refusal,
  temporaryFolder,
} from "./made-files.ts"

const folder = temporaryFolder()

const folders = readdirSync(models).filter((name) => name !== "gguf")
const formats: Record<string, string> = {
  ...{ "llama-bias": "fp32", mistral: "fp16", "llama-nf4": "nf4", "llama-nf4-dq": "nf4-dq", "llama-fp4": "fp4", "llama-int8": "int8" },
}
for (const name of folders) {
  test(`${name}: found whole, and nothing but its config.json tells the same`, async () => {
    const path = join(models, name)
    const found = await inspectModel(path)
    expect(ModelInspection.parse(found)).toEqual(found)
    expect(found).toMatchObject({
      path,
      name,
      supported: true,
      reason: null,
      format: formats[name] ?? "bf16",
      layers: 2,
      context_length: 256,
    })
    expect(found.can_be_quantized).toBe(found.format.endsWith("16") || found.format === "fp32")
    expect(found).not.toHaveProperty("tensors")
    const alone = await inspectModel(configFolder(folder, await import(join(path, "config.json")).then((module) => module.default)))
    const { parameters, quantizable_parameters, layers, format } = found
    expect(alone).toMatchObject({ parameters, quantizable_parameters, layers, format, supported: true, tokenizer: null })
  })
}

test("parameters are counted once", async () => {
  const linear = 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 128)
  expect(await inspectModel(join(models, "llama-nf4-dq"))).toMatchObject({
    ...{ quantizable_parameters: linear, parameters: linear + 2 * 320 * 64 + 5 * 64 },
  })
})

test("tensors on request: with their companions' bytes", async () => {
  const { tensors } = await inspectModel(join(models, "llama-nf4"), { withTensors: true })
  expect(tensors).toHaveLength(21)
  expect(tensors?.find(({ name }) => name.endsWith("0.self_attn.q_proj.weight"))).toMatchObject({
    shape: [64, 64],
    dtype: "U8",
    format: "nf4",
  })
  const whole = await inspectModel(join(models, "llama"), { withTensors: true })
  const alone = await inspectModel(configFolder(folder, llamaConfig), { withTensors: true })
  const sorted = (list: typeof tensors) => list?.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  expect(sorted(alone.tensors)).toEqual(sorted(whole.tensors))
})

test("GGUF: what its metadata says", async () => {
  expect(await inspectModel(join(models, "gguf/qwen2-q4_0.gguf"))).toMatchObject({
    can_be_quantized: true,
    ...{ name: "qwen2-q4_0", architecture: "qwen2", supported: true, format: "q4_0", license: "mit", tokenizer: "gpt2" },
    ...{ chat_template: true, layers: 2, context_length: 256, disk_bytes: 59520 },
  })
  expect((await inspectModel(join(models, "gguf/llama-spm-mixed.gguf"))).format).toBe("mixed")
})

test("an architecture that is not supported still tells what it is", async () => {
  const path = copyOf("llama", folder)
  changeJson(join(path, "config.json"), (config) => ({ ...config, architectures: ["FooForCausalLM"], model_type: "foo" }))
  expect(await inspectModel(path)).toMatchObject({
    ...{ supported: false, reason: "Architecture `FooForCausalLM` is not supported yet.", architecture: "FooForCausalLM" },
    can_be_quantized: true,
    ...{
      parameters: 115008,
      quantizable_parameters: 73_728,
      expert_parameters: 0,
      layers: 2,
      context_length: 256,
      format: "bf16",
      tokenizer: "BPE",
    },
  })
})

test("other quantizations, pickles and types are refused by name", async () => {
  const config = (change: object) => configFolder(folder, { ...llamaConfig, ...change })
  expect((await inspectModel(config({ quantization_config: { quant_method: "gptq", bits: 4 } }))).reason).toMatch(/`gptq`/)
  const pickled = config({})
  writeFileSync(join(pickled, "pytorch_model.bin"), "x")
  expect(await inspectModel(pickled)).toMatchObject({ supported: false, reason: "Only pickled .bin weights: refused, they can run code." })
  const fp8 = copyOf("llama-rope-linear", folder)
  const names = (await inspectModel(fp8, { withTensors: true })).tensors ?? []
  const tensors = names.map(({ name, shape }) => ({ name, shape, dtype: "F8_E4M3", bytes: shape.reduce((a, b) => a * b) }))
  const { header } = safetensorsHeader(tensors)
  writeFileSync(join(fp8, "model.safetensors"), Buffer.concat([header, Buffer.alloc(tensors.reduce((sum, { bytes }) => sum + bytes, 0))]))
  const found = await inspectModel(fp8)
  expect(found).toMatchObject({ supported: false, can_be_quantized: false, format: "f8_e4m3", parameters: 46320 })
  expect(found.reason).toBe("Tensor model.embed_tokens.weight is stored as F8_E4M3, which is not supported yet.")
})

test("GGUF of another architecture, and with blocks that are not supported", async () => {
  const path = join(folder, "foo.gguf")
  writeFileSync(path, ggufBytes([ggufText("general.architecture", "foo")], [ggufTensor("output.weight", [256, 1], 15, 0)], 292))
  expect(await inspectModel(path, { withTensors: true })).toMatchObject({
    ...{
      name: "foo",
      supported: false,
      can_be_quantized: false,
      reason: "Architecture `foo` is not supported yet.",
      layers: 0,
      parameters: 256,
    },
    tensors: [{ name: "output.weight", dtype: "Q8_K", format: "q8_k", bytes: 292 }],
  })
  writeFileSync(path, ggufBytes([ggufText("general.name", "x"), ggufNumber("a", 1)]))
  expect(await refusal(() => inspectModel(path))).toMatchObject({
    code: "bad_file",
    message: expect.stringMatching(/does not say its architecture/),
  })
})

test("what may not be read is refused as that", async () => {
  const locked = copyOf("llama", folder)
  const file = join(locked, "model.safetensors")
  chmodSync(file, 0)
  await asNobody(async () => {
    expect(await refusal(() => inspectModel(locked))).toMatchObject({ code: "no_permission", message: expect.stringContaining(file) })
  })
  chmodSync(locked, 0)
  await asNobody(async () => expect((await refusal(() => inspectModel(locked))).code).toBe("no_permission"))
  chmodSync(locked, 0o755)
})

/** Root may read everything, so for the time of the work this process is not root. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  chmodSync(folder, 0o755)
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}
