// What models of the published sizes take, from config.json alone; the figures are those that bitsandbytes and its users publish.
import { copyFileSync, cpSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Format } from "../../../shared/schema/format.ts"
import type { PlanDevice, PlanRow } from "../../../shared/schema/plan.ts"
import { changedModel, models, temporaryFolder, testEngine } from "./fixtures.ts"

const engine = testEngine()
const folder = temporaryFolder()
const gib = 2 ** 30
const inGib = (bytes: number) => Math.round((bytes / gib) * 100) / 100

const cpu = (usable: number): PlanDevice => ({
  name: "cpu",
  kind: "cpu",
  label: "RAM",
  totalBytes: usable,
  usableBytes: usable,
  bandwidth: 2e10,
})
const disk: PlanDevice = { name: "disk", kind: "disk", label: "Disk", totalBytes: 1e13, usableBytes: 1e13, bandwidth: 1e9 }
const gpu = (usable: number): PlanDevice => ({ ...cpu(usable), name: "0", kind: "gpu", label: "A card" })
const large = [cpu(1000 * gib), disk]

function configAlone(name: string, config: Record<string, unknown>): string {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, "config.json"), JSON.stringify(config))
  return path
}

const llama = (width: number, ffn: number, layers: number, heads: number, kvHeads: number, own: Record<string, unknown>) => ({
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_size: width,
  intermediate_size: ffn,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  torch_dtype: "float16",
  max_position_embeddings: 4096,
  ...own,
})
const opt = (width: number, ffn: number, layers: number) => ({
  architectures: ["OPTForCausalLM"],
  model_type: "opt",
  hidden_size: width,
  ffn_dim: ffn,
  num_hidden_layers: layers,
  num_attention_heads: 32,
  word_embed_proj_dim: width,
  vocab_size: 50272,
  max_position_embeddings: 2048,
  torch_dtype: "float16",
})
const llama3 = { vocab_size: 128256, max_position_embeddings: 131072, torch_dtype: "bfloat16" }

const configs = {
  "opt-1.3b": opt(2048, 8192, 24),
  "opt-6.7b": opt(4096, 16384, 32),
  "qwen2.5-0.5b": {
    ...llama(896, 4864, 24, 14, 2, { vocab_size: 151936, tie_word_embeddings: true, torch_dtype: "bfloat16" }),
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
  },
  "llama-3.2-1b": llama(2048, 8192, 16, 32, 8, { ...llama3, tie_word_embeddings: true }),
  "llama-3.1-8b": llama(4096, 14336, 32, 32, 8, llama3),
  "llama-2-7b": llama(4096, 11008, 32, 32, 32, { vocab_size: 32000 }),
  "llama-2-13b": llama(5120, 13824, 40, 40, 40, { vocab_size: 32000 }),
  "llama-2-70b": llama(8192, 28672, 80, 64, 8, { vocab_size: 32000 }),
}

async function rowsOf(path: string, wish: Record<string, unknown> = {}): Promise<PlanRow[]> {
  const { rows } = await engine.client["plan.rows"]({ path, devices: large, ...wish })
  return rows
}

async function rowOf(name: keyof typeof configs, format: Format, wish: Record<string, unknown> = {}): Promise<PlanRow> {
  const [row] = await rowsOf(configAlone(name, configs[name]), { formats: [format], ...wish })
  return row as PlanRow
}

const weightsOf = ({ parts }: PlanRow) => parts.weights + parts.scales + parts.unquantized

describe("published figures", () => {
  test("footprints as transformers prints them", async () => {
    expect(inGib((await rowOf("opt-1.3b", "nf4")).footprint_bytes)).toBe(0.76)
    expect(inGib((await rowOf("opt-1.3b", "int8")).footprint_bytes)).toBe(1.33)
    expect(inGib((await rowOf("opt-6.7b", "nf4-dq")).footprint_bytes)).toBe(3.4)
    // What torch has allocated; its allocator rounds each of the 434 tensors up, and a work space of 8 MiB comes on top.
    expect(weightsOf(await rowOf("opt-1.3b", "nf4")) / gib + 8 / 1024).toBeCloseTo(0.84, 2)
  })

  test.each([
    ["qwen2.5-0.5b", [0.92, 0.59, 0.44, 0.43], 12],
    ["llama-3.2-1b", [2.3, 1.4, 1.0, 0.96], 32],
    ["llama-3.1-8b", [14.96, 8.46, 5.61, 5.31], 128],
    ["llama-2-7b", [12.55, 6.53, 3.88, 3.6], 512],
    ["llama-2-13b", [24.24, 12.44, 7.26, 6.71], 800],
    ["llama-2-70b", [128.48, 64.76, 36.84, 33.87], 320],
  ] as const)("%s in 16, 8 and 4 bits", async (name, sizes, kvKib) => {
    const rows = await rowsOf(configAlone(name, configs[name]))
    const stored = rows[0]?.format as Format
    expect(rows.map(({ format }) => format)).toEqual([stored, "int8", "nf4", "nf4-dq", "fp4", "fp4-dq"])
    const [plain, int8, nf4, nested] = rows as [PlanRow, PlanRow, PlanRow, PlanRow]
    expect([plain, int8, nf4, nested].map((row) => inGib(weightsOf(row)))).toEqual(sizes)
    for (const row of rows) expect(row.kv_bytes_per_token).toBe(kvKib * 1024)
  })

  test("a context costs what its tokens cost", async () => {
    const short = await rowOf("llama-3.1-8b", "nf4", { context: 8192 })
    const long = await rowOf("llama-3.1-8b", "nf4", { context: 131072 })
    expect([short.parts.kv, long.parts.kv].map(inGib)).toEqual([1, 16])
    expect(short.context).toBe(8192)
    const used = await rowOf("llama-3.1-8b", "nf4", { context: 131072, usedTokens: 8192 })
    expect(used.parts.kv).toBe(short.parts.kv)
    expect(used.context).toBe(131072)
  })
})

describe("against what is there", () => {
  test("the plan of a stored model is that of loading it, and its size the folder's", async () => {
    for (const name of ["llama", "llama-nf4", "llama-nf4-dq", "llama-int8", "qwen2"]) {
      const path = join(models, name)
      const [row] = await rowsOf(path, { context: 64, threads: 2 })
      const { mapped, total, ...plan } = await engine.client["model.plan"]({ path, context: 64, threads: 2 })
      expect(row?.parts).toMatchObject(plan)
      expect(row?.total_bytes).toBe(total + (row?.parts.context ?? 0))
      expect(row?.mapped_bytes).toBe(mapped)
      const bytes = readdirSync(path).reduce((sum, file) => sum + statSync(join(path, file)).size, 0)
      expect(row?.disk_bytes).toBe(bytes)
    }
  })

  test("a GGUF file is planned as it will be in memory, and said to be what it is", async () => {
    const wish = { path: join(models, "gguf", "qwen2-q4_0.gguf"), devices: large }
    const { rows, storedAs } = await engine.client["plan.rows"](wish)
    expect([rows[0]?.format, storedAs]).toEqual(["fp16", "q4_0"])
  })

  test.each(["int8", "nf4", "nf4-dq", "fp4", "fp4-dq"] as const)("a row in %s is what the quantizer then writes", async (format) => {
    for (const path of [join(models, "llama"), join(models, "gguf", "llama-spm-mixed.gguf")]) {
      const wish = { context: 64, threads: 1, formats: [format] }
      const [foreseen] = (await rowsOf(path, wish)) as [PlanRow]
      const out = join(folder, `${format}-${path.length}`)
      const report = await engine.client["quantize.run"]({ path, out, format }, () => {})
      const [written] = (await rowsOf(out, wish)) as [PlanRow]
      const { context: _, ...parts } = foreseen.parts
      expect(written.parts).toMatchObject(parts)
      expect(written.footprint_bytes).toBe(foreseen.footprint_bytes)
      expect(written.mapped_bytes).toBe(foreseen.mapped_bytes)
      expect(written.weight_bytes_per_token).toBe(foreseen.weight_bytes_per_token)
      expect(foreseen.tensors_quantized).toBe(report.tensors_quantized)
      // Of nested scales the length of one number per tensor is not known before.
      const slack = format.endsWith("-dq") ? 12 * report.tensors_quantized : 0
      expect(foreseen.disk_bytes - written.disk_bytes).toBeGreaterThanOrEqual(0)
      expect(foreseen.disk_bytes - written.disk_bytes).toBeLessThanOrEqual(slack)
    }
  })

  test("options of the quantizer count", async () => {
    const path = join(models, "llama")
    const [plain] = (await rowsOf(path, { formats: ["nf4"] })) as [PlanRow]
    const [tables] = (await rowsOf(path, { formats: ["nf4"], embeddings: "nf4" })) as [PlanRow]
    const [skipped] = (await rowsOf(path, { formats: ["nf4"], skipModules: ["lm_head", "down_proj"] })) as [PlanRow]
    const [coarse] = (await rowsOf(path, { formats: ["nf4"], blockSize: 256 })) as [PlanRow]
    expect(tables.parts.unquantized).toBeLessThan(plain.parts.unquantized)
    expect(skipped.tensors_quantized).toBe(plain.tensors_quantized - 2)
    expect(coarse.parts.scales).toBeLessThan(plain.parts.scales / 2)
  })

  test("a model that is quantized already has one row, from its config.json alone too", async () => {
    expect((await rowsOf(join(models, "llama-nf4-dq"))).map(({ format }) => format)).toEqual(["nf4-dq"])
    const path = join(folder, "alone-nf4-dq")
    mkdirSync(path)
    copyFileSync(join(models, "llama-nf4-dq", "config.json"), join(path, "config.json"))
    const [alone] = (await rowsOf(path)) as [PlanRow]
    const [whole] = (await rowsOf(join(models, "llama-nf4-dq"))) as [PlanRow]
    expect(alone.format).toBe("nf4-dq")
    expect(alone.parts).toMatchObject({ ...whole.parts, context: alone.parts.context })
    await expect(rowsOf(path, { formats: ["int8"] })).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringContaining("cannot be had in int8"),
    })
  })
})

describe("devices", () => {
  test("layers go where there is room, by the names of the checkpoint", async () => {
    const row = await rowOf("llama-2-13b", "nf4", { context: 4096, devices: [gpu(6 * gib), cpu(64 * gib), disk] })
    expect(row.verdict).toBe("partly")
    expect(row.fits).toBe(false)
    expect(row.device_map["model.embed_tokens"]).toBe("0")
    expect(row.device_map["model.layers.39"]).toBe("cpu")
    expect(row.device_map["model.norm"]).toBe("cpu")
    expect(row.device_map.lm_head).toBe("cpu")
    expect(Object.keys(row.device_map)).toHaveLength(43)
    const [first, second] = row.devices as [PlanRow["devices"][0], PlanRow["devices"][0]]
    expect(first.used_bytes + first.free_bytes).toBe(6 * gib)
    expect(first.free_bytes).toBeGreaterThanOrEqual(0)
    // The program itself lies in RAM.
    expect([first.parts.context, second.parts.context]).toEqual([0, row.parts.context])
  })

  test("a map by hand", async () => {
    const wish = { context: 4096, devices: [gpu(24 * gib), cpu(64 * gib), disk] }
    const row = await rowOf("llama-2-13b", "nf4", { ...wish, deviceMap: { "": "0", "model.layers.39": "cpu" } })
    expect(row.device_map["model.layers.38"]).toBe("0")
    expect(row.device_map["model.layers.39"]).toBe("cpu")
    await expect(rowOf("llama-2-13b", "nf4", { ...wish, deviceMap: { "model.layers.40": "0" } })).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringContaining("no such module"),
    })
  })

  test("a tied head lies with the embedding", async () => {
    const row = await rowOf("llama-3.2-1b", "nf4", { context: 1024, devices: [gpu(1.1 * gib), cpu(64 * gib), disk] })
    expect(row.device_map["model.norm"]).toBe("cpu")
    expect(row.device_map.lm_head).toBe(row.device_map["model.embed_tokens"])
  })
})

test("files that change are looked at again", async () => {
  const path = changedModel("llama", folder, {})
  const [before] = (await rowsOf(path)) as [PlanRow]
  cpSync(join(models, "llama-int8"), path, { recursive: true, force: true })
  utimesSync(join(path, "model.safetensors"), 1, 1)
  const rows = await rowsOf(path)
  expect([before.format, ...rows.map(({ format }) => format)]).toEqual(["bf16", "int8"])
})

test("what cannot run has no plan, and says why", async () => {
  const path = configAlone("other", { architectures: ["NoSuchModel"], model_type: "none" })
  await expect(rowsOf(path)).rejects.toMatchObject({ code: "unsupported", message: expect.stringContaining("NoSuchModel") })
  await expect(rowOf("llama-2-7b", "nf4", { context: 5000 })).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringContaining("at most 4096"),
  })
})

describe("fine-tuning", () => {
  const train = (own: Record<string, unknown> = {}) => ({ mode: "train", train: { rank: 16, sequenceLength: 2048, ...own } })

  test.each([
    ["qwen2.5-0.5b", 8.8],
    ["llama-3.2-1b", 11.3],
    ["llama-3.1-8b", 41.9],
    ["llama-2-13b", 62.6],
  ] as const)("%s has %s million parameters to train at rank 16", async (name, millions) => {
    const row = await rowOf(name, "nf4-dq", train())
    expect(Math.round(row.trainable_parameters / 1e5) / 10).toBe(millions)
    expect(Math.abs(row.parts.lora - row.trainable_parameters * 4)).toBeLessThan(1e5)
    expect(row.parts.gradients).toBe(row.parts.lora)
    expect(row.parts.kv).toBeLessThan(64 << 20)
  })

  test("each knob changes its part", async () => {
    const plan = async (own: Record<string, unknown>) => (await rowOf("llama-3.1-8b", "nf4-dq", train(own))).parts
    const usual = await plan({})
    expect(inGib(usual.weights + usual.scales + usual.unquantized)).toBe(5.31)
    expect((await plan({ optimizer: "adamw" })).optimizer).toBe(2 * usual.lora)
    expect((await plan({ optimizer: "paged-adamw8bit" })).optimizer).toBe(usual.optimizer)
    expect((await plan({ optimizer: "sgd" })).optimizer).toBe(0)
    expect((await plan({ rank: 32 })).lora).toBe(2 * usual.lora)
    // Of each layer q, k, v, what is attended to, gate and up; and what the way back needs: the stream, what `down` reads, the softmax's sums, A x.
    const [room, extra] = [4096 + 1024 + 1024 + 4096 + 2 * 14336, 4096 + 14336 + 32 + 7 * 16]
    const kept = (await plan({ gradientCheckpointing: false })).activations - usual.activations
    expect(kept).toBe(2048 * 4 * (32 * room + 31 * extra))
    expect((await plan({ sequenceLength: 4096 })).activations).toBeGreaterThan(1.9 * usual.activations)
    expect((await plan({ batchSize: 2 })).activations).toBeGreaterThan(1.9 * usual.activations)
    const few = await plan({ targets: ["q_proj", "v_proj"] })
    expect(few.lora).toBe(32 * 16 * (4096 + 4096 + 4096 + 1024) * 4)
    await expect(plan({ targets: ["no_proj"] })).rejects.toMatchObject({ code: "bad_input", message: expect.stringContaining("no_proj") })
    await expect(plan({ sequenceLength: 200000 })).rejects.toMatchObject({ code: "bad_input" })
  })
})
