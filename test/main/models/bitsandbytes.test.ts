// Folders that bitsandbytes wrote, and what may be wrong with them.

import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { joinQuantized } from "../../../main/models/bitsandbytes.ts"
import { readSafetensors, safetensorsHeader } from "../../../main/models/safetensors.ts"
import type { FileTensor } from "../../../main/models/tensors.ts"
import { models, refusal, temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()
const q = "model.layers.0.self_attn.q_proj"

async function fixture(name: string) {
  const path = join(models, name, "model.safetensors")
  const { tensors } = await readSafetensors(path)
  return { path, tensors, find: (end: string) => tensors.find((tensor) => tensor.name === `${q}.${end}`) as FileTensor }
}

for (const [name, format] of [
  ["llama-nf4", "nf4"],
  ["llama-fp4", "fp4"],
] as const) {
  test(`${name}: codes, scales and code book`, async () => {
    const { path, tensors, find } = await fixture(name)
    const joined = await joinQuantized(tensors, [path])
    const weight = joined.find((tensor) => tensor.name === `${q}.weight`)
    expect(weight).toMatchObject({ shape: [64, 64], dtype: "U8", encoding: "u8", data: find("weight").data })
    expect(weight?.quantized).toEqual({
      ...{ format, blockSize: 64, absmax: find("weight.absmax").data, codebook: find("weight.quant_map").data },
    })
    expect(joined.filter((tensor) => tensor.quantized)).toHaveLength(14)
    expect(joined.map((tensor) => tensor.name).filter((other) => /absmax|quant/.test(other))).toEqual([])
    expect(joined.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(tensors.reduce((sum, { data }) => sum + data.bytes, 0))
  })
}

test("llama-nf4-dq: the scales of the scales", async () => {
  const { path, tensors, find } = await fixture("llama-nf4-dq")
  const weight = (await joinQuantized(tensors, [path])).find((tensor) => tensor.name === `${q}.weight`)
  expect(weight?.quantized?.nested).toMatchObject({
    ...{ blockSize: 256, absmax: find("weight.nested_absmax").data, map: find("weight.nested_quant_map").data },
  })
  expect(weight?.quantized?.nested?.offset).toBeGreaterThan(0)
})

test("llama-int8: codes and the scales of their rows", async () => {
  const { path, tensors, find } = await fixture("llama-int8")
  const joined = await joinQuantized(tensors, [path])
  expect(joined.find((tensor) => tensor.name === `${q}.weight`)).toMatchObject({
    ...{ shape: [64, 64], dtype: "I8", encoding: "i8", quantized: { format: "int8", blockSize: 0, absmax: find("SCB").data } },
  })
  expect(joined.map((tensor) => tensor.name).filter((other) => /SCB|weight_format/.test(other))).toEqual([])
})

interface Part {
  dtype: string
  shape: number[]
  bytes: Buffer
}

const state = { quant_type: "nf4", blocksize: 64, dtype: "bfloat16", shape: [4, 64] }
const stateName = "x.weight.quant_state.bitsandbytes__nf4"

/** A 4-bit tensor [4, 64] as bitsandbytes would write it, then changed. */
function parts(changes: Record<string, Partial<Part> | null> = {}, stateText: object | string = state): Record<string, Part> {
  const text = Buffer.from(typeof stateText === "string" ? stateText : JSON.stringify(stateText))
  const made: Record<string, Part> = {
    "x.weight": { dtype: "U8", shape: [128, 1], bytes: Buffer.alloc(128) },
    "x.weight.absmax": { dtype: "F32", shape: [4], bytes: Buffer.alloc(16) },
    "x.weight.quant_map": { dtype: "F32", shape: [16], bytes: Buffer.alloc(64) },
    [stateName]: { dtype: "U8", shape: [text.length], bytes: text },
  }
  for (const [name, change] of Object.entries(changes)) {
    if (change === null) delete made[name]
    else made[name] = { ...(made[name] as Part), ...change }
  }
  return made
}

function stateTensor(content: object): Part {
  const bytes = Buffer.from(JSON.stringify(content))
  return { dtype: "U8", shape: [bytes.length], bytes }
}

let written = 0

async function join4(made: Record<string, Part>) {
  const path = join(folder, `${written++}.safetensors`)
  const list = Object.entries(made).map(([name, { dtype, shape, bytes }]) => ({ name, dtype, shape, bytes: bytes.length }))
  writeFileSync(path, Buffer.concat([safetensorsHeader(list).header, ...Object.values(made).map(({ bytes }) => bytes)]))
  return joinQuantized((await readSafetensors(path)).tensors, [path])
}

test("any storage type is the same bytes", async () => {
  for (const [dtype, width] of [
    ["U8", 1],
    ["BF16", 2],
    ["F16", 2],
    ["F32", 4],
    ["F64", 8],
  ] as const) {
    const [weight] = await join4(parts({ "x.weight": { dtype, shape: [128 / width, 1] } }))
    expect(weight).toMatchObject({ shape: [4, 64], dtype, encoding: "u8", quantized: { format: "nf4", blockSize: 64 } })
  }
})

test("an odd number of elements, a short last block and a code book of none", async () => {
  const odd = {
    "x.weight": { shape: [48, 1], bytes: Buffer.alloc(48) },
    "x.weight.absmax": { shape: [2], bytes: Buffer.alloc(8) },
    "x.weight.quant_map": null,
  }
  const [weight] = await join4(parts(odd, { ...state, shape: [5, 19] }))
  expect(weight).toMatchObject({ shape: [5, 19] })
  expect(weight?.quantized).not.toHaveProperty("codebook")
})

const nested = { ...state, nested_blocksize: 256, nested_dtype: "float32", nested_offset: 0.5 }
const nestedParts = {
  "x.weight.absmax": { dtype: "U8", shape: [4], bytes: Buffer.alloc(4) },
  "x.weight.nested_absmax": { dtype: "F32", shape: [1], bytes: Buffer.alloc(4) },
  "x.weight.nested_quant_map": { dtype: "F32", shape: [256], bytes: Buffer.alloc(1024) },
}

test("nested scales are read", async () => {
  expect((await join4(parts(nestedParts, nested)))[0]?.quantized?.nested).toMatchObject({ offset: 0.5, blockSize: 256 })
})

test("parameters of three dimensions: the experts of a layer in one tensor", async () => {
  const experts = Object.entries(parts({}, { ...state, shape: [2, 2, 64] })).map(([name, part]) => [
    name.replace("x.weight", "mlp.experts.gate_up_proj"),
    part,
  ])
  expect(await join4(Object.fromEntries(experts))).toMatchObject([
    { name: "mlp.experts.gate_up_proj", shape: [2, 2, 64], encoding: "u8", quantized: { format: "nf4", blockSize: 64 }, bytes: 279 },
  ])
  const int8 = {
    "mlp.experts.down_proj": { dtype: "I8", shape: [2, 3, 4], bytes: Buffer.alloc(24) },
    "mlp.experts.down_proj.SCB": { dtype: "F32", shape: [2, 3], bytes: Buffer.alloc(24) },
  }
  expect(await join4(int8)).toMatchObject([{ name: "mlp.experts.down_proj", shape: [2, 3, 4], quantized: { format: "int8" }, bytes: 48 }])
  const flat = { ...int8, "mlp.experts.down_proj.SCB": { dtype: "F32", shape: [6], bytes: Buffer.alloc(24) } }
  expect((await refusal(() => join4(flat))).message).toMatch(/are F32 \[6\], expected F32 \[2, 3\]/)
})

test("scales that a CPU has repacked are told by what wrote them", async () => {
  const repacked = parts({ "x.weight.absmax": { dtype: "BF16", shape: [1, 4], bytes: Buffer.alloc(8) } })
  expect(await refusal(() => join4(repacked))).toMatchObject({
    code: "bad_file",
    message: expect.stringContaining("absmax is BF16 [1, 4], expected F32 [4]"),
    hint: expect.stringContaining("already answered on a CPU"),
  })
})

const refused: [name: string, made: Record<string, Part>, message: RegExp][] = [
  ["no scales", parts({ "x.weight.absmax": null }), /tensor x\.weight lacks its companion x\.weight\.absmax/],
  ["no weight", parts({ "x.weight": null }), /tensor x\.weight is missing/],
  ["no state", parts({ [stateName]: null }), /x\.weight\.absmax belongs to a 4-bit weight whose quant_state is missing/],
  ["too few codes", parts({ "x.weight": { shape: [127, 1], bytes: Buffer.alloc(127) } }), /takes 128 bytes, but the file gives it 127/],
  ["too few scales", parts({ "x.weight.absmax": { shape: [3], bytes: Buffer.alloc(12) } }), /absmax is F32 \[3\], expected F32 \[4\]/],
  [
    "scales in fp16",
    parts({ "x.weight.absmax": { dtype: "F16", shape: [4], bytes: Buffer.alloc(8) } }),
    /absmax is F16 \[4\], expected F32/,
  ],
  ["code book of 15", parts({ "x.weight.quant_map": { shape: [15], bytes: Buffer.alloc(60) } }), /quant_map is F32 \[15\]/],
  ["nested, but plain scales", parts({}, nested), /absmax is F32 \[4\], expected U8 \[4\]/],
  [
    "nested, but no map",
    parts({ ...nestedParts, "x.weight.nested_quant_map": null }, nested),
    /lacks its companion x\.weight\.nested_quant_map/,
  ],
  ["state is no JSON", parts({}, "{"), /quant_state is not valid JSON/],
  ["state is a list", parts({}, "[]"), /quant_state is not a JSON object/],
  ["state of another type", parts({}, { ...state, quant_type: "fp4" }), /says fp4, but is named x\.weight\.quant_state\.bitsandbytes__nf4/],
  ["state of an unknown type", parts({}, { ...state, quant_type: "af4" }), /quant_state: quant_type is af4/],
  [
    "two states",
    { ...parts(), "x.weight.quant_state.bitsandbytes__fp4": stateTensor({ ...state, quant_type: "fp4" }) },
    /tensor x\.weight has two quant_states/,
  ],
  ["nothing in it", parts({ "x.weight": { shape: [0, 1], bytes: Buffer.alloc(0) } }, { ...state, shape: [0, 64] }), /shape\.0 is 0/],
  ["shape of none", parts({}, { ...state, shape: null }), /quant_state: shape/],
  ["block of 63", parts({}, { ...state, blocksize: 63 }), /blocksize is 63/],
  ["shape of 2^80", parts({}, { ...state, shape: [2 ** 40, 2 ** 40] }), /in 4 bits takes/],
  ["shape of nothing", parts({}, { ...state, shape: [] }), /quant_state: shape/],
  ["negative shape", parts({}, { ...state, shape: [-4, -64] }), /shape\.0 is -4/],
  ["offset 1e999", parts(nestedParts, JSON.stringify(nested).replace("0.5", "1e999")), /nested_offset/],
  ["nested block of 0", parts(nestedParts, { ...nested, nested_blocksize: 0 }), /nested_blocksize is 0/],
  ["state of 20 000 bytes", parts({}, JSON.stringify({ ...state, x: "y".repeat(20_000) })), /at most 16384 are read/],
]
for (const [name, made, message] of refused) {
  test(`refused: ${name}`, async () => {
    expect(await refusal(() => join4(made))).toMatchObject({ code: "bad_file", message: expect.stringMatching(message) })
  })
}

const int8: Record<string, Part> = {
  "x.weight": { dtype: "I8", shape: [2, 4], bytes: Buffer.alloc(8) },
  "x.SCB": { dtype: "F32", shape: [2], bytes: Buffer.alloc(8) },
  "x.weight_format": { dtype: "U8", shape: [], bytes: Buffer.alloc(1) },
}

test("8-bit: layouts other than rows are refused by name", async () => {
  expect((await join4(int8))[0]?.quantized?.format).toBe("int8")
  const turing = { ...int8, "x.weight_format": { dtype: "U8", shape: [], bytes: Buffer.from([2]) } }
  expect(await refusal(() => join4(turing))).toMatchObject({ code: "unsupported", message: expect.stringContaining("`col_turing`") })
})

test("8-bit: codes and scales must fit each other", async () => {
  const scales = { ...int8, "x.SCB": { dtype: "F32", shape: [3], bytes: Buffer.alloc(12) } }
  expect((await refusal(() => join4(scales))).message).toMatch(/scales x\.SCB are F32 \[3\], expected F32 \[2\]/)
  const codes = { ...int8, "x.weight": { dtype: "U8", shape: [2, 4], bytes: Buffer.alloc(8) } }
  expect((await refusal(() => join4(codes))).message).toMatch(/is U8 \[2, 4\], expected I8/)
  const { "x.weight": _, ...orphan } = int8
  expect((await refusal(() => join4(orphan))).message).toMatch(/tensor x\.weight is missing/)
})
