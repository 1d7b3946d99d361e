// A model folder as transformers writes it: config.json and its neighbors, and the safetensors files, single or sharded.
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint, fileError, readOptionalText, readText } from "./bounded-file.ts"
import { partialFiles } from "./header-folder.ts"
import { checked, parseJsonObject } from "./json.ts"
import { readSafetensors, type SafetensorsFile } from "./safetensors.ts"
import type { FileTensor } from "./tensors.ts"

const maxConfigBytes = 16 << 20
const maxIndexBytes = 64 << 20
const maxShards = 10_000

export interface ModelFolder {
  config: Record<string, unknown>
  generationConfig: Record<string, unknown> | null
  /** Absolute paths of the safetensors files. */
  files: string[]
  /** Null: the folder holds no safetensors weights. */
  tensors: FileTensor[] | null
  /** Weights are there, but only as pickles. */
  isPickled: boolean
  /** Of all files of the folder. */
  diskBytes: number
}

export const configPath = (folder: string) => join(folder, "config.json")

export async function readFolder(path: string): Promise<ModelFolder> {
  const text = await readOptionalText(configPath(path), maxConfigBytes)
  if (text === null) {
    throw new AppError(
      "bad_input",
      `${path} is no model: it has no config.json.`,
      "Choose the folder that holds config.json and the weights.",
    )
  }
  const config = parseJsonObject(text, configPath(path))
  const generationPath = join(path, "generation_config.json")
  const generationText = await readOptionalText(generationPath, maxConfigBytes)
  const listing = await listFiles(path)
  const { files, tensors } = await readWeights(path, listing)
  return {
    config,
    generationConfig: generationText === null ? null : parseJsonObject(generationText, generationPath),
    files,
    tensors,
    isPickled: [...listing.keys()].some(
      (name) => /\.(bin|pt|pth|ckpt|pkl)$/.test(name) && !/^(training_args|optimizer|scheduler|rng_state)/.test(name),
    ),
    diskBytes: [...listing.values()].reduce((sum, bytes) => sum + bytes, 0),
  }
}

/** Name and size of each file; what cannot be looked at (a broken link) is left out. */
async function listFiles(path: string): Promise<Map<string, number>> {
  const listing = new Map<string, number>()
  const partial = await partialFiles(path)
  try {
    for (const name of (await readdir(path)).sort()) {
      const about = await stat(join(path, name)).catch(() => null)
      if (about?.isFile()) listing.set(name, partial.get(name)?.bytes ?? about.size)
    }
  } catch (thrown) {
    throw fileError(thrown, path)
  }
  return listing
}

/** In the order in which transformers looks: the single file first. */
async function readWeights(path: string, listing: Map<string, number>): Promise<{ files: string[]; tensors: FileTensor[] | null }> {
  const single = join(path, "model.safetensors")
  if (listing.has("model.safetensors")) return { files: [single], tensors: (await readSafetensors(single)).tensors }
  const indexPath = join(path, "model.safetensors.index.json")
  if (listing.has("model.safetensors.index.json")) return readShards(path, indexPath)
  const strays = [...listing.keys()].filter((name) => /^model-\d+-of-\d+\.safetensors$/.test(name))
  if (strays.length > 0) {
    throw new AppError(
      "bad_file",
      `${path} has ${strays.length} shards (${strays[0]}, …) but no model.safetensors.index.json.`,
      "Download that file too.",
    )
  }
  return { files: [], tensors: null }
}

const Index = z.looseObject({ weight_map: z.record(z.string(), z.string()) })

async function readShards(path: string, indexPath: string): Promise<{ files: string[]; tensors: FileTensor[] }> {
  const index = parseJsonObject(await readText(indexPath, maxIndexBytes), indexPath)
  const places = Object.entries(checked(Index, index, indexPath).weight_map)
  const names = [...new Set(places.map(([, file]) => file))].sort()
  if (names.length > maxShards) throw new AppError("bad_file", `${indexPath} names ${names.length} files; at most ${maxShards} are read.`)
  const bad = names.find((name) => !/^[^/\\\0]+\.safetensors$/.test(name))
  if (bad !== undefined)
    throw new AppError("bad_file", `${indexPath} names ${JSON.stringify(bad.slice(0, 100))}, which is no safetensors file of its folder.`)
  const files = names.map((name) => join(path, name))
  const shards = new Map<string, Map<string, FileTensor>>()
  for (const [i, name] of names.entries()) {
    const shard = await readShard(files[i] as string, i, indexPath)
    shards.set(name, new Map(shard.tensors.map((tensor) => [tensor.name, tensor])))
  }
  const tensors = places.map(([name, file]) => {
    const tensor = shards.get(file)?.get(name)
    if (!tensor) throw new AppError("bad_file", `${join(path, file)} lacks tensor ${name}, which ${indexPath} says is in it.`, damagedHint)
    return tensor
  })
  return { files, tensors }
}

async function readShard(file: string, index: number, indexPath: string): Promise<SafetensorsFile> {
  try {
    return await readSafetensors(file, index)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "not_found") throw thrown
    throw new AppError("bad_file", `${file} is missing; ${indexPath} names it.`, "Download or copy the missing file.", { cause: thrown })
  }
}
