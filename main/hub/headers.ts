// The headers of a model's weights, fetched by range requests into a folder that reads as the whole model (models/header-folder.ts): a plan
// is exact before anything large is downloaded.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { parseGguf } from "../models/gguf.ts"
import { type PartialFile, writePartialFiles } from "../models/header-folder.ts"
import { parseSafetensors } from "../models/safetensors.ts"
import { bearer, filesToFetch, type Hub, type HubFile, type Repository } from "./hub.ts"
import { RemoteFile } from "./remote-file.ts"

/** Each costs a request. A model of 100 layers, quantized by bitsandbytes, has 700. */
const most_smallTensors = 4000
const smallest_bytes = 64 << 10
const requestsAtOnce = 6

/** Weights quantized by bitsandbytes say how in tensors of their own; in GGUF files, rotary factors are one. Readers want their values. */
const readTensors = /(\.quant_state\.bitsandbytes__\w+|\.weight_format|^rope_freqs\.weight)$/

/** Writes the headers of `weights` into `folder`, and the note that makes readers take them for the files. */
export async function fetchHeaders(
  hub: Hub,
  repository: Pick<Repository, "name" | "revision">,
  options: { weights: HubFile[]; folder: string; signal: AbortSignal },
): Promise<void> {
  const { weights, folder, signal } = options
  const notes = new Map<string, PartialFile>()
  await eachOf(filesToFetch(hub, repository, weights), async ({ name, bytes: size, address }) => {
    const file = new RemoteFile({ ...{ address, name, size, authorization: bearer(hub), network: hub.network, signal } })
    await readHeader(file)
    const { note, bytes } = file.partial()
    await writeFile(join(folder, name), bytes)
    notes.set(name, note)
  })
  await writePartialFiles(folder, notes)
}

async function readHeader(file: RemoteFile): Promise<void> {
  const isGguf = file.path.endsWith(".gguf")
  const { tensors } = isGguf ? await parseGguf(file) : await parseSafetensors(file)
  // Headers of GGUF files are read through a window, which reaches past their end again next time.
  if (!isGguf) file.trim(tensors.reduce((first, { data }) => Math.min(first, data.offset), file.size))
  const wanted = tensors.filter(({ name, data }) => readTensors.test(name) && data.bytes <= smallest_bytes)
  if (wanted.length > most_smallTensors)
    throw new AppError(
      "unsupported",
      `${file.path} has ${wanted.length} small tensors to be read one by one; at most ${most_smallTensors} are.`,
    )
  await eachOf(wanted, async ({ data }) => void (await file.read(data.offset, data.bytes)))
}

async function eachOf<T>(list: T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...list]
  const lane = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: requestsAtOnce }, lane))
}
