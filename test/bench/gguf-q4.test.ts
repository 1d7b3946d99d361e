// The Q4_0 file made for llama.cpp, read back by the program's own reader.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { writeQ4_0 } from "../../bench/gguf-q4.ts"
import { fromHalf, toHalf } from "../../bench/half.ts"
import { readGguf } from "../../main/models/gguf.ts"

const folder = mkdtempSync(join(tmpdir(), "nibble-q4-"))
afterAll(() => rmSync(folder, { recursive: true }))

test("every finite half survives the way to a number and back", () => {
  for (let bits = 0; bits < 0x10000; bits++) if ((bits & 0x7c00) !== 0x7c00) expect(toHalf(fromHalf(bits))).toBe(bits)
  expect([toHalf(65519), toHalf(65520), toHalf(-1e9)]).toEqual([0x7bff, 0x7c00, 0xfc00])
})

test("halves are rounded to nearest, ties to even", () => {
  expect([toHalf(1 + 1 / 2048), toHalf(1 + 3 / 2048), toHalf(1 + 1.01 / 2048)]).toEqual([0x3c00, 0x3c02, 0x3c01])
  expect([toHalf(2 ** -25), toHalf(1.5 * 2 ** -24), toHalf(2047.9)]).toEqual([0, 2, 0x6800])
})

/** Values of blocks of 32 behind one or two halves, low halves of the bytes first. */
function decode(bytes: Buffer, blockBytes: number): number[] {
  const values: number[] = []
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const d = fromHalf(bytes.readUInt16LE(at))
    const minimum = blockBytes === 18 ? -8 * d : fromHalf(bytes.readUInt16LE(at + 2))
    const codes = bytes.subarray(at + blockBytes - 16, at + blockBytes)
    values.push(...Array.from(codes, (byte) => d * (byte & 15) + minimum), ...Array.from(codes, (byte) => d * (byte >> 4) + minimum))
  }
  return values
}

test("only Q4_1 tensors change, by at most a step of their block", async () => {
  const from = join(import.meta.dirname, "../fixtures/models/gguf/llama-spm-mixed.gguf")
  const to = join(folder, "q4_0.gguf")
  await writeQ4_0(from, to)
  const [before, after] = [await readGguf(from), await readGguf(to)]
  expect(after.metadata).toEqual(before.metadata)
  expect(after.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual(before.tensors.map(({ name, shape }) => ({ name, shape })))
  const [oldFile, newFile] = [readFileSync(from), readFileSync(to)]
  let changed = 0
  for (const [i, tensor] of before.tensors.entries()) {
    const made = after.tensors[i] as (typeof after.tensors)[number]
    const old = oldFile.subarray(tensor.data.offset, tensor.data.offset + tensor.data.bytes)
    const bytes = newFile.subarray(made.data.offset, made.data.offset + made.data.bytes)
    if (tensor.dtype !== "Q4_1") {
      expect(made.dtype).toBe(tensor.dtype)
      expect(bytes.equals(old)).toBe(true)
      continue
    }
    changed++
    expect(made.dtype).toBe("Q4_0")
    const [values, rounded] = [decode(old, 20), decode(bytes, 18)]
    for (const [j, value] of values.entries()) {
      const step = Math.abs(fromHalf(bytes.readUInt16LE(Math.floor(j / 32) * 18)))
      // The side away from the largest magnitude ends one step early; the step itself was rounded to half precision.
      expect(Math.abs(value - (rounded[j] as number))).toBeLessThanOrEqual(step * (1 + 8 / 1024))
    }
  }
  expect(changed).toBeGreaterThan(0)
})
