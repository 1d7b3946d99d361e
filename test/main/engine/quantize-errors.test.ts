// The error of each tensor, against W' decoded here from the file that was written.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { loadAddon } from "../../../main/engine/addon.ts"
import { quantizeModel } from "../../../main/engine/quantize.ts"
import { openQuantizeSource, type SourceTensor } from "../../../main/models/quantize-source.ts"
import type { QuantizedFormat } from "../../../shared/schema/format.ts"
import { scratchFolder } from "../scratch.ts"
import { models, top } from "./fixtures.ts"
import { type Part, partsOf } from "./rewritten.ts"

const architecture = (name: string) => join(top, "test/fixtures/architectures", name)

async function measured(path: string, format: QuantizedFormat, change: { embeddings?: "int8"; experts?: QuantizedFormat } = {}) {
  const out = join(scratchFolder(), "out")
  const errors = new Map<string, number>()
  const emit = async (event: { errors?: { name: string; error: number }[] | undefined }) => {
    for (const { name, error } of event.errors ?? []) {
      expect(errors.has(name), `${name} comes once`).toBe(false)
      errors.set(name, error)
    }
  }
  const options = { path, out, format, blockSize: 64 as const, threshold: 6, threads: 2, withErrors: true, ...change }
  const report = await quantizeModel(loadAddon(), options, { signal: new AbortController().signal, emit })
  expect(errors.size).toBe(report.tensors_quantized)
  return { out, errors }
}

async function partsIn(folder: string): Promise<Map<string, Part>> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"))
  const parts = (await Promise.all(files.map((name) => partsOf(join(folder, name))))).flat()
  return new Map(parts.map((part) => [part.name, part]))
}

function floats(part: Part | undefined): number[] {
  if (!part) throw new Error("a part is missing")
  const view = new DataView(part.bytes.buffer, part.bytes.byteOffset, part.bytes.length)
  if (part.dtype === "F32") return Array.from({ length: part.bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true))
  if (part.dtype === "F16") return Array.from({ length: part.bytes.length / 2 }, (_, i) => view.getFloat16(i * 2, true))
  const widened = new DataView(new ArrayBuffer(4))
  return Array.from({ length: part.bytes.length / 2 }, (_, i) => {
    widened.setUint16(0, view.getUint16(i * 2, true))
    return widened.getFloat32(0)
  })
}

function decode(parts: Map<string, Part>, name: string): number[] {
  const weight = parts.get(name)
  if (!weight) throw new Error(`there is no ${name}`)
  const scales = parts.get(name.endsWith(".weight") ? name.replace(/weight$/, "SCB") : `${name}.SCB`)
  if (scales) {
    const rows = floats(scales)
    const columns = weight.shape.at(-1) as number
    return Array.from(weight.bytes, (_, i) => (weight.bytes.readInt8(i) * (rows[Math.floor(i / columns)] as number)) / 127)
  }
  const state = [...parts.values()].find((part) => part.name.startsWith(`${name}.quant_state.`))
  const { blocksize, nested_offset: offset } = JSON.parse(state?.bytes.toString() ?? "")
  const book = floats(parts.get(`${name}.quant_map`))
  const nested = parts.get(`${name}.nested_absmax`)
  const absmax = parts.get(`${name}.absmax`)
  const map = nested ? floats(parts.get(`${name}.nested_quant_map`)) : []
  const tops = nested ? floats(nested) : []
  const scaleOf = nested
    ? Array.from(absmax?.bytes ?? [], (code, i) => (map[code] as number) * (tops[Math.floor(i / 256)] as number) + offset)
    : floats(absmax)
  return Array.from(weight.bytes).flatMap((byte, i) =>
    [byte >> 4, byte & 15].map((code, half) => (book[code] as number) * (scaleOf[Math.floor((2 * i + half) / blocksize)] as number)),
  )
}

/** The rows of a matrix that lies the other way round in the file, or several of them. */
function straight(values: number[], { shape, part }: SourceTensor): number[] {
  const isTransposed = (part.kind === "linear" || part.kind === "experts") && part.isTransposed
  if (!isTransposed) return values
  const [columns = 1, rows = 1] = shape.slice(-2)
  const size = rows * columns
  return values.map((_, i) => values[Math.floor(i / size) * size + (i % columns) * rows + Math.floor((i % size) / columns)] as number)
}

test.each([
  ["llama, nested", join(models, "llama"), "nf4-dq", { embeddings: "int8" }],
  ["llama", join(models, "llama"), "fp4", {}],
  ["qwen2", join(models, "qwen2"), "int8", {}],
  ["gpt2, transposed", architecture("gpt2"), "nf4-dq", {}],
  ["gpt2, transposed", architecture("gpt2"), "int8", {}],
  ["qwen3-moe, experts in one parameter", architecture("qwen3-moe-fused"), "nf4", { experts: "fp4-dq" }],
  ["gpt-oss, such experts transposed", architecture("gpt-oss"), "nf4", { experts: "int8" }],
] as const)("of %s", async (_, path, format, change) => {
  const { out, errors } = await measured(path, format, change)
  const source = await openQuantizeSource(path)
  const stored = await partsIn(path)
  const made = await partsIn(out)
  for (const tensor of source.tensors) {
    const error = errors.get(tensor.name)
    if (error === undefined) continue
    const weights = straight(floats(stored.get(tensor.name)), tensor)
    const decoded = decode(made, tensor.name)
    let [squares, differences] = [0, 0]
    for (const [i, weight] of weights.entries()) {
      squares += weight * weight
      differences += (weight - (decoded[i] as number)) ** 2
    }
    // W' is rounded to fp32 there and not here: parts in 10^7.
    expect(Math.abs(error / Math.sqrt(differences / squares) - 1), tensor.name).toBeLessThan(1e-5)
    expect(error).toBeGreaterThan(1e-4)
  }
})

test("nothing is measured where it is not asked for", async () => {
  const seen: unknown[] = []
  const options = {
    path: join(models, "llama"),
    out: join(scratchFolder(), "out"),
    format: "nf4" as const,
    blockSize: 64 as const,
    threshold: 6,
    threads: 1,
  }
  await quantizeModel(loadAddon(), options, { signal: new AbortController().signal, emit: async (event) => void seen.push(event.errors) })
  expect(new Set(seen)).toEqual(new Set([undefined]))
})
