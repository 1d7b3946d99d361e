// Quantized experts, one tensor each or all in one parameter, compute exactly what their decoded values compute.
import { cpSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { temporaryFolder, testEngine, top } from "./fixtures.ts"
import { type Part, partsOf, writeParts } from "./rewritten.ts"

const folder = temporaryFolder()
const engine = testEngine()
const fixtures = join(top, "test/fixtures/architectures")
let count = 0

async function logitsOf(path: string, tokens: number[]): Promise<Buffer> {
  // The reference sums decoded values in double: equal values give equal bits there, whatever they were stored in.
  await engine.client["model.load"]({ path, compute: "fp32", backend: "ref", exact: true }, () => {})
  const out = join(folder, `${count++}.safetensors`)
  await engine.client["model.logits"]({ tokens, out })
  return readFileSync(out)
}

const floatsOf = ({ bytes }: Part) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))

/** The parts of one quantized tensor. */
interface Quantized {
  name: string
  all: Map<string, Part>
}

const partOf = ({ name, all }: Quantized, suffix: string) => all.get(name + suffix) as Part

/** absmax of each block; of nested ones fp32 at each step. */
function scalesOf(tensor: Quantized, state: { nested_offset?: number }): Float32Array {
  if (state.nested_offset === undefined) return floatsOf(partOf(tensor, ".absmax"))
  const [map, absmax] = [floatsOf(partOf(tensor, ".nested_quant_map")), floatsOf(partOf(tensor, ".nested_absmax"))]
  const offset = Math.fround(state.nested_offset)
  return Float32Array.from(
    partOf(tensor, ".absmax").bytes,
    (code, i) => Math.fround((map[code] as number) * (absmax[i >> 8] as number)) + offset,
  )
}

/** In fp32: one rounding of value times scale. */
function decoded(tensor: Quantized): { shape: number[]; values: Float32Array } {
  const state = tensor.all.get(`${tensor.name}.quant_state.bitsandbytes__nf4`)
  const { shape, bytes } = partOf(tensor, "")
  if (!state) {
    const scales = floatsOf(tensor.all.get(`${tensor.name.replace(/\.weight$/, "")}.SCB`) as Part)
    const columns = shape.at(-1) as number
    return { shape, values: Float32Array.from(bytes, (_, i) => (bytes.readInt8(i) * (scales[Math.floor(i / columns)] as number)) / 127) }
  }
  const about = JSON.parse(state.bytes.toString())
  const [scales, map] = [scalesOf(tensor, about), floatsOf(partOf(tensor, ".quant_map"))]
  const values = Float32Array.from({ length: bytes.length * 2 }, (_, i) => {
    const code = i % 2 === 0 ? (bytes[i >> 1] as number) >> 4 : (bytes[i >> 1] as number) & 15
    return (map[code] as number) * (scales[Math.floor(i / about.blocksize)] as number)
  })
  return { shape: about.shape, values }
}

/** As a checkpoint in 32 bits has it: gpt-oss turns its experts. */
function plainPart(tensor: Quantized, isTurned: boolean): Part {
  const { shape, values } = decoded(tensor)
  if (!isTurned) return { name: tensor.name, dtype: "F32", shape, bytes: Buffer.from(values.buffer) }
  const [experts, rows, columns] = shape as [number, number, number]
  const turned = new Float32Array(values.length)
  for (const [i, value] of values.entries()) {
    const [expert, row, column] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns]
    turned[(expert * columns + column) * rows + row] = value
  }
  return { name: tensor.name, dtype: "F32", shape: [experts, columns, rows], bytes: Buffer.from(turned.buffer) }
}

const isExpert = (name: string) => /\.experts\.|\.(input|output)_linear\./.test(name) && !/bias$/.test(name)

/** A copy whose experts are decoded. Returns how many tensors that were. */
async function decodeExperts(path: string, copy: string, isTurned: boolean): Promise<number> {
  cpSync(path, copy, { recursive: true })
  const file = join(copy, "model.safetensors")
  const all = new Map((await partsOf(file)).map((part) => [part.name, part]))
  const names = [...all.keys()].filter((name) => isExpert(name) && (all.has(`${name}.absmax`) || all.get(name)?.dtype === "I8"))
  const kept = [...all.values()].filter(({ name }) => !isExpert(name))
  writeParts(file, [...kept, ...names.map((name) => plainPart({ name, all }, isTurned))])
  return names.length
}

const cases = [
  ["mixtral", 2 * 4 * 3],
  ["mixtral-fused", 2 * 2],
  ["qwen2-moe-fused", 2],
  ["granitemoe", 2 * 2],
  ["gpt-oss", 2 * 2],
  ["gpt-oss-split", 2 * 4 * 2],
] as const

test.each(cases.flatMap(([name, number]) => (["nf4", "nf4-dq", "int8"] as const).map((format) => [name, format, number] as const)))(
  "%s, experts in %s",
  async (name, experts, number) => {
    const out = join(folder, `${name}-${experts}`)
    await engine.client["quantize.run"]({ path: join(fixtures, name), out, format: "nf4", experts }, () => {})
    expect(readdirSync(out)).toContain("model.safetensors")
    expect(await decodeExperts(out, `${out}-decoded`, name === "gpt-oss")).toBe(number)
    const { tokens } = JSON.parse(readFileSync(join(top, `test/golden/architectures/${name}.json`), "utf8"))
    const [quantized, expected] = [await logitsOf(out, tokens), await logitsOf(`${out}-decoded`, tokens)]
    expect(quantized.length).toBe(expected.length)
    expect(quantized.equals(expected)).toBe(true)
    expect(quantized.equals(await logitsOf(join(fixtures, name), tokens))).toBe(false)
  },
)
