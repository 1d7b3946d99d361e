// The engine's stream of quantized tensors: where the ranges go, and what they hold.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { NativeQuantizeTensor } from "../../main/engine/addon-types.ts"
import { engine, readModel, readSafetensors, temporaryFolder } from "./fixtures.ts"

const folder = temporaryFolder()
const { files, tensors } = readModel("llama")

function tensor(name: string): NativeQuantizeTensor {
  const { data, encoding, shape } = tensors.find((candidate) => candidate.name === name) ?? expect.unreachable()
  return { name, data, encoding, shape, action: { kind: "copy", dtype: "bf16" } }
}

async function write(list: NativeQuantizeTensor[], outOffset = 0) {
  const outPath = join(folder, "out.bin")
  writeFileSync(outPath, "")
  const result = await engine.quantize({ files, tensors: list, outPath, outOffset, threads: 2 }, () => {}).promise
  return { ...result, bytes: readFileSync(outPath) }
}

test("ranges follow one another from the offset on, or stand where they are wanted", async () => {
  const norm = tensor("model.norm.weight")
  const q = tensor("model.layers.0.self_attn.q_proj.weight")
  const spec = { format: "nf4" as const, blockSize: 64, isNested: true }
  const quantized = { ...q, action: { kind: "quantize" as const, spec, dtype: "bf16" as const } }
  const one = await write([norm, quantized], 16)
  expect(one.ranges).toEqual([
    { tensor: 0, kind: "data", begin: 0, end: 128 },
    { tensor: 1, kind: "data", begin: 128, end: 2176 },
    { tensor: 1, kind: "absmax", begin: 2176, end: 2240 },
    { tensor: 1, kind: "nested_absmax", begin: 2240, end: 2244 },
  ])
  const placed = await write(
    [
      { ...norm, place: { data: 3000 } },
      { ...quantized, place: { data: 24, scales: 2100, nested: 16 } },
    ],
    16,
  )
  expect(placed.nestedOffsets).toEqual(one.nestedOffsets)
  expect(placed.parametersQuantized).toBe(64 * 64)
  const same = (a: number, b: number, length: number) =>
    expect(placed.bytes.subarray(a, a + length).equals(one.bytes.subarray(b, b + length))).toBe(true)
  same(3000, 16, 128)
  same(24, 16 + 128, 2048)
  same(2100, 16 + 2176, 64)
  same(16, 16 + 2240, 4)
})

test("what is copied is the source", async () => {
  const { bytes } = await write([tensor("lm_head.weight")])
  const [file = ""] = files
  const { offset, bytes: length } = readSafetensors(file)["lm_head.weight"]?.data ?? expect.unreachable()
  expect(bytes.equals(readFileSync(file).subarray(offset, offset + length))).toBe(true)
})
