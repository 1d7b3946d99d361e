// Quantizing models of any kind: what has no decoder here, GPT-2's transposed layers, experts, embeddings, odd and hostile tensors.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { joinQuantized } from "../../../main/models/bitsandbytes.ts"
import { readSafetensors } from "../../../main/models/safetensors.ts"
import { listing, models, temporaryFolder, testEngine } from "./fixtures.ts"
import { type Part, partsOf, writeParts } from "./rewritten.ts"

const folder = temporaryFolder()
const engine = testEngine()
let count = 0

const sizes: Record<string, number> = { F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1, I8: 1, F8_E4M3: 1, F64: 8 }

/** Numbers that differ from each other, in fp32. */
function values(shape: number[], seed = 1): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1)
  return Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * seed * 12.9898) * 0.5)
}

function floats(name: string, shape: number[], seed = name.length): Part {
  return { name, dtype: "F32", shape, bytes: Buffer.from(values(shape, seed).buffer) }
}

function zeros(name: string, dtype: string, shape: number[]): Part {
  return { name, dtype, shape, bytes: Buffer.alloc(shape.reduce((product, size) => product * size, sizes[dtype] as number)) }
}

function model(config: object, tensors: Part[]): string {
  const path = join(folder, `model-${count++}`)
  mkdirSync(path)
  writeFileSync(join(path, "config.json"), JSON.stringify({ dtype: "float32", ...config }))
  writeParts(join(path, "model.safetensors"), tensors)
  return path
}

type Wish = Parameters<(typeof engine.client)["quantize.run"]>[0]

async function quantize(path: string, options: Partial<Wish> = {}) {
  const out = join(folder, `out-${count++}`)
  let last: object = {}
  const report = await engine.client["quantize.run"]({ path, out, format: "nf4", ...options }, (progress) => {
    last = progress
  })
  return { out, report, last, parts: new Map((await partsOf(join(out, "model.safetensors"))).map((part) => [part.name, part])) }
}

const t5 = { architectures: ["T5ForConditionalGeneration"], model_type: "t5" }

test("a model of an architecture that cannot run here: linear layers are quantized, the rest is kept with its reason", async () => {
  const path = model(t5, [
    floats("shared.weight", [40, 16]),
    floats("encoder.block.0.layer.0.SelfAttention.q.weight", [16, 16]),
    floats("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", [8, 2]),
    floats("encoder.block.0.layer.1.DenseReluDense.wi.weight", [32, 16]),
    floats("encoder.block.0.layer.1.DenseReluDense.wo.weight", [16, 32]),
    floats("encoder.final_layer_norm.weight", [16]),
    floats("lm_head.weight", [40, 16]),
  ])
  const { out, report, parts } = await quantize(path)
  expect(report).toMatchObject({ tensors_quantized: 2, tensors_kept: 5 })
  expect(report.kept).toEqual(
    [
      { reason: "kept in full precision by transformers", tensors: ["encoder.block.0.layer.1.DenseReluDense.wo.weight"] },
      { reason: "a table that is looked up in", tensors: ["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"] },
      { reason: "a vector", tensors: ["encoder.final_layer_norm.weight"] },
      { reason: "the output head", tensors: ["lm_head.weight"] },
      { reason: "the embedding", tensors: ["shared.weight"] },
    ].toSorted((a, b) => ((a.tensors[0] as string) < (b.tensors[0] as string) ? -1 : 1)),
  )
  expect(parts.get("encoder.block.0.layer.1.DenseReluDense.wi.weight")).toMatchObject({ dtype: "U8", shape: [256, 1] })
  const card = readFileSync(join(out, "README.md"), "utf8")
  expect(card).toContain("It loads in transformers with bitsandbytes:")
  expect(card).toContain("T5ForConditionalGeneration.from_pretrained")
})

test("GPT-2: layers that lie transposed in the file are quantized as rows of outputs", async () => {
  const tensors = (isTransposed: boolean) =>
    ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"].flatMap((module) => {
      const [rows, cols] = { "attn.c_attn": [48, 16], "attn.c_proj": [16, 16], "mlp.c_fc": [64, 16], "mlp.c_proj": [16, 64] }[module] as [
        number,
        number,
      ]
      const straight = values([rows, cols], rows)
      const turned = Float32Array.from(straight, (_, i) => straight[(i % rows) * cols + Math.floor(i / rows)] as number)
      const [shape, data] = isTransposed ? [[cols, rows], turned] : [[rows, cols], straight]
      const name = `transformer.h.0.${module}`
      return [{ name: `${name}.weight`, dtype: "F32", shape, bytes: Buffer.from(data.buffer) }, floats(`${name}.bias`, [rows])]
    })
  const table = floats("transformer.wte.weight", [40, 16])
  const config = { architectures: ["SomethingLikeGPT2"], model_type: "gpt2" }
  for (const format of ["nf4-dq", "int8"] as const) {
    const turned = await quantize(model(config, [table, ...tensors(true)]), { format })
    const straight = await quantize(model(config, [table, ...tensors(false)]), { format })
    expect(turned.report.tensors_quantized).toBe(4)
    expect([...turned.parts.keys()]).toEqual([...straight.parts.keys()])
    for (const [name, { shape, bytes }] of straight.parts) {
      expect(turned.parts.get(name)?.shape, name).toEqual(shape)
      expect(turned.parts.get(name)?.bytes.equals(bytes), name).toBe(true)
    }
  }
})

const moe = { architectures: ["SomeMoe"], model_type: "some_moe" }
const expertTensors = [
  floats("model.embed_tokens.weight", [40, 16]),
  floats("model.layers.0.self_attn.q_proj.weight", [16, 16]),
  floats("model.layers.0.mlp.gate.weight", [2, 16]),
  floats("model.layers.0.mlp.experts.gate_up_proj", [2, 48, 16]),
  floats("model.layers.0.mlp.experts.down_proj", [2, 16, 24]),
  floats("model.layers.1.mlp.experts.0.w1.weight", [24, 16]),
]

test("experts stay in 16 bits unless they are asked for", async () => {
  const path = model(moe, expertTensors)
  const { report } = await quantize(path)
  expect(report.tensors_quantized).toBe(1)
  expect(report.kept.find(({ reason }) => reason.startsWith("experts"))?.tensors).toEqual([
    "model.layers.0.mlp.experts.down_proj",
    "model.layers.0.mlp.experts.gate_up_proj",
    "model.layers.1.mlp.experts.0.w1.weight",
  ])
  for (const experts of ["nf4", "nf4-dq", "fp4", "int8"] as const) {
    const { out, report: all } = await quantize(path, { experts })
    expect(all.tensors_quantized).toBe(4)
    const file = join(out, "model.safetensors")
    const joined = await joinQuantized((await readSafetensors(file)).tensors, [file])
    const format = experts.replace("-dq", "")
    for (const [name, shape] of [
      ["model.layers.0.mlp.experts.gate_up_proj", [2, 48, 16]],
      ["model.layers.1.mlp.experts.0.w1.weight", [24, 16]],
    ] as const)
      expect(joined.find((tensor) => tensor.name === name)).toMatchObject({ shape, quantized: { format } })
    expect(readFileSync(join(out, "README.md"), "utf8")).toContain("not in transformers: its experts are quantized")
  }
})

test("int8 experts: every row of every expert has its scale", async () => {
  const { parts } = await quantize(model(moe, expertTensors), { experts: "int8" })
  const name = "model.layers.0.mlp.experts.down_proj"
  expect(parts.get(name)).toMatchObject({ dtype: "I8", shape: [2, 16, 24] })
  const scales = parts.get(`${name}.SCB`)
  expect(scales).toMatchObject({ dtype: "F32", shape: [2, 16] })
  const given = values([2, 16, 24], name.length)
  const largest = Array.from({ length: 32 }, (_, row) => Math.max(...given.subarray(row * 24, row * 24 + 24).map(Math.abs)))
  // Weights go through fp16.
  largest.forEach((value, row) => {
    expect(Math.abs((scales?.bytes.readFloatLE(row * 4) as number) - value)).toBeLessThanOrEqual(value * 2 ** -11)
  })
})

test("experts that lie transposed are turned, and the state says so", async () => {
  const turned = [
    floats("model.embed_tokens.weight", [40, 16]),
    floats("model.layers.0.mlp.experts.gate_up_proj", [2, 16, 48]),
    floats("model.layers.0.mlp.experts.down_proj", [2, 24, 16]),
    floats("model.layers.0.self_attn.q_proj.weight", [16, 16]),
  ]
  const { parts } = await quantize(model(moe, turned), { experts: "nf4" })
  const state = parts.get("model.layers.0.mlp.experts.gate_up_proj.quant_state.bitsandbytes__nf4")
  expect(JSON.parse(state?.bytes.toString() as string).shape).toEqual([2, 48, 16])
})

test.each(["nf4", "nf4-dq", "fp4", "fp4-dq", "int8"] as const)("embedding and head in %s are saved and loaded", async (embeddings) => {
  for (const [name, tables] of [
    ["llama", 2],
    ["llama-tied-sharded", 1],
  ] as const) {
    const plain = await quantize(join(models, name), { format: "nf4" })
    const { out, report } = await quantize(join(models, name), { format: "nf4", embeddings })
    expect(report.tensors_quantized).toBe(plain.report.tensors_quantized + tables)
    const { plan } = await engine.client["model.load"]({ path: out, compute: "fp32" }, () => {})
    const { plan: plainPlan } = await engine.client["model.load"]({ path: plain.out, compute: "fp32" }, () => {})
    expect(plan.weights + plan.unquantized + plan.scales).toBeLessThan(plainPlan.weights + plainPlan.unquantized + plainPlan.scales)
    const { quantization_config: block } = JSON.parse(readFileSync(join(out, "config.json"), "utf8"))
    expect(block.llm_int8_skip_modules).toEqual(name === "llama" ? [] : null)
    expect(readFileSync(join(out, "README.md"), "utf8")).toContain("not in transformers: its embedding is quantized")
  }
})

test("what there is not cannot be asked for", async () => {
  await expect(quantize(join(models, "llama"), { experts: "nf4" })).rejects.toMatchObject({
    code: "bad_input",
    message: "llama has no experts to quantize.",
  })
  const path = model(moe, [floats("a.q_proj.weight", [16, 16])])
  await expect(quantize(path, { embeddings: "nf4" })).rejects.toMatchObject({ code: "bad_input" })
})

test("odd sizes: empty tensors, one row, one value, rows that are no multiple of anything", async () => {
  const shapes: Record<string, number[]> = { one: [1, 7], value: [1, 1], odd: [3, 67], column: [5, 1], wide: [2, 200] }
  const tensors = [
    zeros("empty.weight", "F32", [0, 16]),
    zeros("flat.weight", "F32", [16, 0]),
    zeros("scalar", "F32", []),
    ...Object.entries(shapes).map(([name, shape]) => floats(`${name}.weight`, shape)),
  ]
  for (const format of ["nf4", "fp4-dq", "int8"] as const) {
    const { out, report, parts } = await quantize(model(moe, tensors), { format })
    expect(report).toMatchObject({ tensors_quantized: 5, tensors_kept: 3 })
    expect(report.kept.find(({ reason }) => reason === "empty")?.tensors).toEqual(["empty.weight", "flat.weight"])
    expect(parts.get("empty.weight")).toMatchObject({ dtype: "F32", shape: [0, 16] })
    const file = join(out, "model.safetensors")
    const joined = await joinQuantized((await readSafetensors(file)).tensors, [file])
    for (const [name, shape] of Object.entries(shapes)) expect(joined.find((one) => one.name === `${name}.weight`)).toMatchObject({ shape })
  }
})

test("integers and other types that nothing computes with are copied as they are", async () => {
  const ids = { name: "position_ids", dtype: "I64", shape: [1, 5], bytes: Buffer.from(BigInt64Array.from([0n, 1n, 2n, 3n, 4n]).buffer) }
  const mask = { name: "mask", dtype: "BOOL", shape: [3], bytes: Buffer.from([1, 0, 1]) }
  const { parts, last } = await quantize(model(moe, [ids, mask, floats("a.q_proj.weight", [16, 16])]), { format: "nf4-dq" })
  expect(last).toMatchObject({ parametersDone: 256, parametersTotal: 256 })
  expect(parts.get("position_ids")).toEqual(ids)
  expect(parts.get("mask")).toEqual(mask)
})

const foreign: [name: string, tensors: Part[], code: string, message: RegExp][] = [
  ["fp8", [zeros("a.q_proj.weight", "F8_E4M3", [16, 16])], "unsupported", /a\.q_proj\.weight is stored as F8_E4M3/],
  ["doubles", [zeros("a.q_proj.weight", "F64", [16, 16])], "unsupported", /a\.q_proj\.weight is stored as F64/],
  [
    "fp8 with scales",
    [zeros("a.q_proj.weight", "F8_E4M3", [16, 16]), zeros("a.q_proj.weight_scale_inv", "F32", [1, 1])],
    "unsupported",
    /block-wise FP8 \(`fp8`\)/,
  ],
  ["GPTQ", [zeros("a.q_proj.qweight", "I32", [2, 16]), zeros("a.q_proj.g_idx", "I32", [16])], "unsupported", /GPTQ \(`gptq`\)/],
  ["AWQ", [zeros("a.q_proj.qweight", "I32", [16, 2]), zeros("a.q_proj.qzeros", "I32", [1, 2])], "unsupported", /AWQ \(`awq`\)/],
  [
    "compressed-tensors",
    [zeros("a.q_proj.weight_packed", "I32", [16, 2]), zeros("a.q_proj.weight_scale", "F16", [16, 1])],
    "unsupported",
    /compressed-tensors/,
  ],
  ["codes without scales", [zeros("a.q_proj.weight", "I8", [16, 16])], "unsupported", /a\.q_proj\.weight is stored as I8/],
  ["only vectors", [floats("a.norm.weight", [16])], "bad_input", /No linear layer/],
]
test.each(foreign)("refused: %s", async (_, tensors, code, message) => {
  const path = model(moe, tensors)
  const before = listing(folder)
  await expect(quantize(path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  expect(listing(folder)).toEqual(before)
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%f in a weight is refused with its place", async (bad) => {
  for (const [name, shape, index] of [
    ["a.q_proj.weight", [16, 16], "[3, 5]"],
    ["layers.0.mlp.experts.gate_up_proj", [2, 4, 16], "[0, 3, 5]"],
  ] as const) {
    const broken = floats(name, [...shape])
    broken.bytes.writeFloatLE(bad, (3 * 16 + 5) * 4)
    const path = model(moe, [broken, floats("b.q_proj.weight", [16, 16]), floats("model.embed_tokens.weight", [4, 16])])
    for (const format of ["nf4", "fp4-dq", "int8"] as const) {
      const before = listing(folder)
      const options = name.includes("experts") ? { format, experts: format } : { format }
      await expect(quantize(path, options)).rejects.toMatchObject({ code: "bad_file", message: expect.stringContaining(`${name} has `) })
      await expect(quantize(path, options)).rejects.toMatchObject({ message: expect.stringContaining(`at index ${index}`) })
      expect(listing(folder)).toEqual(before)
    }
  }
})

test("a file that ends too early, and shapes that no memory holds", async () => {
  const path = model(moe, [zeros("ids", "I64", [64]), floats("a.q_proj.weight", [64, 64])])
  const file = join(path, "model.safetensors")
  const whole = readFileSync(file)
  writeFileSync(file, whole.subarray(0, whole.length - 100))
  await expect(quantize(path)).rejects.toMatchObject({ code: "bad_file", message: expect.stringMatching(/but the file has only/) })
  const huge = Buffer.from(
    JSON.stringify({ "a.q_proj.weight": { dtype: "F32", shape: [2 ** 40, 2 ** 40], data_offsets: [0, 16] } }).padEnd(128),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(128n)
  writeFileSync(file, Buffer.concat([length, huge, Buffer.alloc(16)]))
  await expect(quantize(path)).rejects.toMatchObject({ code: "bad_file", message: expect.stringMatching(/an impossible number of bytes/) })
  expect(existsSync(join(folder, "out"))).toBe(false)
})
