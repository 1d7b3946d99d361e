// The rare file whose header was foreseen longer than it is: it is filled up, and nothing in it is displaced.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { loadAddon } from "../../../main/engine/addon.ts"
import { planTensor } from "../../../main/engine/checkpoint-layout.ts"
import { writeShard } from "../../../main/engine/shard-writer.ts"
import { readSafetensors, safetensorsHeader, safetensorsOrder } from "../../../main/models/safetensors.ts"
import type { ModelTensor } from "../../../main/models/tensors.ts"
import { temporaryFolder } from "./fixtures.ts"

const folder = temporaryFolder()
const spec = { format: "nf4" as const, blockSize: 64, isNested: true }
interface Made {
  shape: [rows: number, cols: number]
  /** Its length decides how the header is aligned. */
  prefix: string
}

const plan = ({ shape, prefix }: Made) =>
  [`${prefix}aa.weight`, `${prefix}b.weight`].map((name) => {
    const data = { file: 0, offset: 0, bytes: shape[0] * shape[1] * 4 }
    const source: ModelTensor = { name, dtype: "F32", data, encoding: "f32", shape, bytes: data.bytes }
    return planTensor(source, { kind: "quantize", spec, isTransposed: false }, "f32")
  })

/** How long the header is when each quant_state is `shorter` bytes shorter than foreseen. */
function headerBytes(made: Made, shorter: number): number {
  const entries = plan(made).flatMap((tensor) => tensor.entries)
  for (const entry of entries) {
    if (entry.name.includes("quant_state")) Object.assign(entry, { bytes: entry.bytes - shorter, shape: [entry.bytes - shorter] })
  }
  return safetensorsHeader(safetensorsOrder(entries), { format: "pt" }).header.length
}

/** One whose header is shorter in the end, however many digits the computed numbers have. */
function findShorter(): Made {
  for (let cols = 6000; cols < 8000; cols++) {
    for (let length = 0; length < 8; length++) {
      const made: Made = { shape: [1, cols], prefix: "n".repeat(length) }
      if ([2, 4, 6].every((shorter) => headerBytes(made, shorter) < headerBytes(made, 0))) return made
    }
  }
  return expect.unreachable()
}

const source = join(folder, "noise")
const noise = Float32Array.from({ length: 8000 }, (_, i) => Math.sin(i * 12.9898) * 3)
writeFileSync(source, new Uint8Array(noise.buffer))

async function write(made: Made): Promise<string> {
  const path = join(folder, "model.safetensors")
  const signal = new AbortController().signal
  await writeShard({
    addon: loadAddon(),
    files: [source],
    tensors: plan(made),
    dtype: "f32",
    path,
    threads: 1,
    withErrors: false,
    signal,
    onProgress: () => {},
  })
  return path
}

async function parts(path: string): Promise<Map<string, string>> {
  const bytes = readFileSync(path)
  const { tensors } = await readSafetensors(path)
  return new Map(tensors.map(({ name, data }) => [name, bytes.subarray(data.offset, data.offset + data.bytes).toString("latin1")]))
}

test("a header that becomes shorter is filled with spaces", async () => {
  const made = findShorter()
  const path = await write(made)
  const file = readFileSync(path)
  const length = 8 + Number(file.readBigUInt64LE())
  expect(length).toBe(headerBytes(made, 0))
  expect(file.toString("latin1", length - 8, length)).toMatch(/ {8}$/)

  const found = await parts(path)
  const [a, b] = ["aa", "b"].map((name) => `${made.prefix}${name}.weight`)
  // Both hold the same numbers, so all their parts are the same.
  for (const suffix of ["", ".absmax", ".nested_absmax", ".quant_map", ".nested_quant_map", ".quant_state.bitsandbytes__nf4"]) {
    expect(found.get(`${a}${suffix}`)).toBe(found.get(`${b}${suffix}`))
  }
  const state = JSON.parse(found.get(`${a}.quant_state.bitsandbytes__nf4`) ?? "")
  expect(state).toMatchObject({ quant_type: "nf4", shape: made.shape, nested_offset: expect.any(Number) })
  expect(found.get(`${a}`)).toHaveLength(Math.ceil((made.shape[0] * made.shape[1]) / 2))
})
