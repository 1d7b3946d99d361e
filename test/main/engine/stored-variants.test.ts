// Every way in which bitsandbytes and its versions store the same weights computes the same logits, bit for bit.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, expect, test } from "vitest"
import { golden, models, temporaryFolder, testEngine } from "./fixtures.ts"
import { type Part, rewritten, scattered } from "./rewritten.ts"

const folder = temporaryFolder()
const engine = testEngine()
const { tokens } = golden("llama")
let count = 0

async function logitsOf(path: string): Promise<Buffer> {
  await engine.client["model.load"]({ path, compute: "fp32" }, () => {})
  const out = join(folder, `${count++}.safetensors`)
  await engine.client["model.logits"]({ tokens, out })
  return readFileSync(out)
}

const expected = new Map<string, Buffer>()
beforeAll(async () => {
  for (const name of ["llama-nf4", "llama-nf4-dq", "llama-fp4", "llama-int8"]) expected.set(name, await logitsOf(join(models, name)))
})

/** The packed codes of 4-bit weights: column vectors of bytes. */
const isPacked = ({ dtype, shape }: Part) => dtype === "U8" && shape[1] === 1

const widths = { I8: 1, F16: 2, BF16: 2, F32: 4, F64: 8 }

test.each(Object.keys(widths) as (keyof typeof widths)[])("codes stored as %s are the same bytes", async (dtype) => {
  for (const name of ["llama-nf4", "llama-nf4-dq", "llama-fp4"]) {
    let changed = 0
    const path = await rewritten(name, folder, (part) => {
      if (!isPacked(part)) return part
      changed++
      return { ...part, dtype, shape: [(part.shape[0] as number) / widths[dtype], 1] }
    })
    expect(changed).toBe(14)
    expect((await logitsOf(path)).equals(expected.get(name) as Buffer), name).toBe(true)
  }
})

test("companions may lie in other files than their weights", async () => {
  for (const [name, logits] of expected) expect((await logitsOf(await scattered(name, folder, 4))).equals(logits), name).toBe(true)
})

test("states with fields of other versions, and without those that have one meaning only", async () => {
  const other = (part: Part) => {
    if (!part.name.includes("quant_state.")) return part
    const { nested_dtype: _, nested_blocksize: __, ...state } = JSON.parse(part.bytes.toString())
    const bytes = Buffer.from(JSON.stringify({ version: 3, ...state }))
    return { ...part, bytes, shape: [bytes.length] }
  }
  for (const name of ["llama-nf4", "llama-nf4-dq", "llama-fp4"])
    expect((await logitsOf(await rewritten(name, folder, other))).equals(expected.get(name) as Buffer), name).toBe(true)
})

test("code books may be left out; another one is used as it is", async () => {
  const without = await rewritten("llama-nf4", folder, (part) => (part.name.endsWith(".quant_map") ? [] : part))
  expect((await logitsOf(without)).equals(expected.get("llama-nf4") as Buffer)).toBe(true)
  // Twice the values and half the scales are the same weights.
  const scaled = await rewritten("llama-nf4", folder, (part) => {
    const factor = part.name.endsWith(".quant_map") ? 2 : part.name.endsWith(".absmax") ? 0.5 : null
    if (factor === null) return part
    const values = new Float32Array(part.bytes.buffer.slice(part.bytes.byteOffset, part.bytes.byteOffset + part.bytes.length))
    return { ...part, bytes: Buffer.from(values.map((value) => value * factor).buffer) }
  })
  expect((await logitsOf(scaled)).equals(expected.get("llama-nf4") as Buffer)).toBe(true)
})

test("8-bit: layout 0 may be said or not; others are refused with a reason", async () => {
  const without = await rewritten("llama-int8", folder, (part) => (part.name.endsWith(".weight_format") ? [] : part))
  expect((await logitsOf(without)).equals(expected.get("llama-int8") as Buffer)).toBe(true)
  for (const [number, name] of [
    [1, "col32"],
    [2, "col_turing"],
    [3, "col_ampere"],
  ] as const) {
    const path = await rewritten("llama-int8", folder, (part) =>
      part.name.endsWith(".weight_format") ? { ...part, bytes: Buffer.from([number]) } : part,
    )
    await expect(logitsOf(path)).rejects.toMatchObject({ code: "unsupported", message: expect.stringContaining(`\`${name}\``) })
  }
})
