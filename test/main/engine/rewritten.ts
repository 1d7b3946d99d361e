// Copies of fixture models whose tensors are stored in another way.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readSafetensors, safetensorsHeader } from "../../../main/models/safetensors.ts"
import { models } from "./fixtures.ts"

export interface Part {
  name: string
  dtype: string
  shape: number[]
  bytes: Buffer
}

let copies = 0

export async function partsOf(path: string): Promise<Part[]> {
  const file = readFileSync(path)
  const { tensors } = await readSafetensors(path)
  return tensors.map(({ name, dtype, shape, data }) => ({
    name,
    dtype,
    shape,
    bytes: file.subarray(data.offset, data.offset + data.bytes),
  }))
}

export function writeParts(path: string, parts: Part[]): void {
  const { header } = safetensorsHeader(parts.map((part) => ({ ...part, bytes: part.bytes.length })))
  writeFileSync(path, Buffer.concat([header, ...parts.map(({ bytes }) => bytes)]))
}

/** `change` gets every tensor and returns what takes its place. */
export async function rewritten(model: string, folder: string, change: (part: Part) => Part | Part[]): Promise<string> {
  const copy = join(folder, `${model}-rewritten-${copies++}`)
  cpSync(join(models, model), copy, { recursive: true })
  const path = join(copy, "model.safetensors")
  writeParts(path, (await partsOf(path)).flatMap(change))
  return copy
}

/** The same in several files, tensors dealt out one by one: companions part from their weights. */
export async function scattered(model: string, folder: string, count: number): Promise<string> {
  const copy = await rewritten(model, folder, (part) => part)
  const single = join(copy, "model.safetensors")
  const parts = await partsOf(single)
  rmSync(single)
  const nameOf = (i: number) => `model-0000${(i % count) + 1}-of-0000${count}.safetensors`
  for (let file = 0; file < count; file++)
    writeParts(
      join(copy, nameOf(file)),
      parts.filter((_, i) => i % count === file),
    )
  const index = { metadata: {}, weight_map: Object.fromEntries(parts.map(({ name }, i) => [name, nameOf(i)])) }
  writeFileSync(join(copy, "model.safetensors.index.json"), JSON.stringify(index))
  return copy
}
