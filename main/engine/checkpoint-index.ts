// model.safetensors.index.json: which file holds which tensor.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { pythonJson } from "./quantized-config.ts"

export interface IndexedShard {
  file: string
  /** Names of the tensors in it. */
  names: string[]
  /** Of their data. */
  bytes: number
}

export async function writeIndex(folder: string, shards: IndexedShard[], parameters: number): Promise<void> {
  const places = shards.flatMap(({ file, names }) => names.map((name) => [name, file] as const))
  const metadata = { total_parameters: parameters, total_size: shards.reduce((sum, { bytes }) => sum + bytes, 0) }
  await writeFile(join(folder, "model.safetensors.index.json"), pythonJson({ metadata, weight_map: Object.fromEntries(places) }))
}
