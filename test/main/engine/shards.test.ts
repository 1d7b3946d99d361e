// Checkpoints of several files. In process, with a limit that no tiny model needs.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { loadAddon } from "../../../main/engine/addon.ts"
import { quantizeModel } from "../../../main/engine/quantize.ts"
import { pythonJson } from "../../../main/engine/quantized-config.ts"
import { openModel } from "../../../main/models/open.ts"
import { readSafetensors } from "../../../main/models/safetensors.ts"
import { listing, models, temporaryFolder } from "./fixtures.ts"

const folder = temporaryFolder()
const context = { signal: new AbortController().signal, emit: async () => {} }

async function quantize(format: "nf4-dq" | "int8", maxBytes: number): Promise<string> {
  const out = join(folder, `${format}-${maxBytes}`)
  const options = { path: join(models, "llama"), out, format, blockSize: 64 as const, threshold: 6, threads: 1 }
  await quantizeModel(loadAddon(), options, context, maxBytes)
  return out
}

test.each(["nf4-dq", "int8"] as const)("%s in several files holds the same tensors as in one", async (format) => {
  const whole = await quantize(format, 1e9)
  const parts = await quantize(format, 50_000)
  const names = listing(parts).filter((name) => name.endsWith(".safetensors"))
  expect(names.length).toBeGreaterThan(2)
  expect(names[0]).toBe(`model-00001-of-0000${names.length}.safetensors`)
  const index = readFileSync(join(parts, "model.safetensors.index.json"), "utf8")
  const { metadata, weight_map: weightMap } = JSON.parse(index)
  expect(index).toBe(pythonJson(JSON.parse(index)))

  const bytesOf = async (path: string) => {
    const file = readFileSync(path)
    const { tensors } = await readSafetensors(path)
    return tensors.map(({ name, data }) => [name, file.subarray(data.offset, data.offset + data.bytes).toString("base64")] as const)
  }
  const expected = new Map(await bytesOf(join(whole, "model.safetensors")))
  const found = new Map<string, string>()
  for (const name of names) {
    for (const [tensor, bytes] of await bytesOf(join(parts, name))) {
      expect(weightMap[tensor]).toBe(name)
      found.set(tensor, bytes)
    }
  }
  expect(found.size).toBe(expected.size)
  for (const [tensor, bytes] of expected) expect(found.get(tensor), tensor).toBe(bytes)
  expect(Object.keys(weightMap)).toHaveLength(expected.size)
  expect(metadata).toEqual({
    total_parameters: 115008,
    total_size: [...expected.values()].reduce((sum, text) => sum + Buffer.from(text, "base64").length, 0),
  })
  // No tensor is parted from its scales, and the folder opens as a model.
  const opened = await openModel(parts)
  expect(opened.source.tensors.filter(({ quantized }) => quantized)).toHaveLength(14)
})
