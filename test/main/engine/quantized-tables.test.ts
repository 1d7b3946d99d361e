// A quantized embedding and head compute exactly what their decoded values compute.
import { cpSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { golden, models, temporaryFolder, testEngine } from "./fixtures.ts"
import { type Part, partsOf, writeParts } from "./rewritten.ts"

const folder = temporaryFolder()
const engine = testEngine()
let count = 0

async function logitsOf(path: string, tokens: number[]): Promise<Buffer> {
  // The reference sums decoded values in double: equal values give equal bits there, whatever they were stored in.
  await engine.client["model.load"]({ path, compute: "fp32", backend: "ref", exact: true }, () => {})
  const out = join(folder, `${count++}.safetensors`)
  await engine.client["model.logits"]({ tokens, out })
  return readFileSync(out)
}

const floatsOf = ({ bytes }: Part) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))

/** The decoded tensor in fp32: one rounding of value times scale. */
function decoded(name: string, parts: Map<string, Part>): Part {
  const part = (suffix: string) => parts.get(`${name}${suffix}`) as Part
  const state = parts.get(`${name}.quant_state.bitsandbytes__nf4`)
  if (!state) {
    const { shape, bytes } = part("")
    const scales = floatsOf(parts.get(name.replace(/weight$/, "SCB")) as Part)
    const columns = shape[1] as number
    const values = Float32Array.from(bytes, (_, i) => (bytes.readInt8(i) * (scales[Math.floor(i / columns)] as number)) / 127)
    return { name, dtype: "F32", shape, bytes: Buffer.from(values.buffer) }
  }
  const { shape, blocksize } = JSON.parse(state.bytes.toString())
  const [scales, map, codes] = [floatsOf(part(".absmax")), floatsOf(part(".quant_map")), part("").bytes]
  const values = Float32Array.from({ length: codes.length * 2 }, (_, i) => {
    const code = i % 2 === 0 ? (codes[i >> 1] as number) >> 4 : (codes[i >> 1] as number) & 15
    return (map[code] as number) * (scales[Math.floor(i / blocksize)] as number)
  })
  return { name, dtype: "F32", shape, bytes: Buffer.from(values.buffer) }
}

test.each(["nf4", "int8"] as const)("%s", async (embeddings) => {
  for (const [name, tables] of [
    ["llama", ["model.embed_tokens.weight", "lm_head.weight"]],
    ["llama-tied-sharded", ["model.embed_tokens.weight"]],
  ] as const) {
    const out = join(folder, `${name}-${embeddings}`)
    await engine.client["quantize.run"]({ path: join(models, name), out, format: "nf4", embeddings }, () => {})
    const plain = `${out}-decoded`
    cpSync(out, plain, { recursive: true })
    const file = join(plain, "model.safetensors")
    const parts = new Map((await partsOf(file)).map((part) => [part.name, part]))
    const isOfTable = (part: Part) => tables.some((table) => part.name.startsWith(table.replace(/weight$/, "")))
    const kept = [...parts.values()].filter((part) => !isOfTable(part))
    writeParts(file, [...kept, ...tables.map((table) => decoded(table, parts))])
    const { tokens } = golden(name)
    const [quantized, expected] = [await logitsOf(out, tokens), await logitsOf(plain, tokens)]
    expect(quantized.length).toBe(expected.length)
    expect(quantized.equals(expected), name).toBe(true)
    expect(quantized.equals(await logitsOf(join(models, name), tokens))).toBe(false)
  }
})
