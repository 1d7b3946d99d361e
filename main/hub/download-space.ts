// Whether the disks have room for a download and what is made of it, asked before it begins.
import { stat } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { bytes as inWords } from "../sizes.ts"
import { freeBytes } from "../storage/free-space.ts"
import { isUnchanged, readManifest } from "./download-manifest.ts"
import type { SetFile } from "./download-set.ts"
import { begunBytes } from "./part.ts"

export interface SpaceNeed {
  /** It may be missing yet: the disk is that of the nearest folder above. */
  folder: string
  /** Still to be written there, beside what lies there already. */
  bytes: number
  /** For the sentence: "download", "quantized model", "temporary files". */
  purpose: string
}

/** One disk. */
export interface VolumeSpace {
  /** First folder that lies on it. */
  folder: string
  needs: SpaceNeed[]
  neededBytes: number
  freeBytes: number
}

export interface Disks {
  /** Of an existing folder: which disk it lies on. */
  volume(folder: string): Promise<number>
  free(folder: string): Promise<number>
}

const theseDisks: Disks = { volume: async (folder) => (await stat(folder)).dev, free: freeBytes }

/** In the order in which the disks come up. */
export async function spacePerVolume(needs: SpaceNeed[], disks: Disks = theseDisks): Promise<VolumeSpace[]> {
  const volumes = new Map<number, VolumeSpace>()
  for (const need of needs) {
    const there = await nearestFolder(need.folder)
    const id = await disks.volume(there)
    const volume = volumes.get(id) ?? { folder: need.folder, needs: [], neededBytes: 0, freeBytes: await disks.free(there) }
    volumes.set(id, volume)
    volume.needs.push(need)
    volume.neededBytes += need.bytes
  }
  return [...volumes.values()]
}

async function nearestFolder(path: string): Promise<string> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if ((await stat(folder).catch(() => null))?.isDirectory()) return folder
    if (dirname(folder) === folder) throw new AppError("not_found", `No folder above ${path} exists.`)
  }
}

/** Throws no_space with the numbers of every disk that is too small. `what`: "Downloading org/name". */
export async function requireVolumes(what: string, needs: SpaceNeed[], disks: Disks = theseDisks): Promise<void> {
  const tooSmall = (await spacePerVolume(needs, disks)).filter(({ neededBytes, freeBytes }) => neededBytes > freeBytes)
  if (tooSmall.length === 0) return
  const sentences = tooSmall.map(({ folder, needs: here, neededBytes, freeBytes: free }) => {
    const parts = here.filter(({ bytes }) => bytes > 0).map(({ purpose, bytes }) => `${purpose} ${inWords(bytes)}`)
    const sum = parts.length > 1 ? ` (${parts.join(" + ")})` : ""
    return `${inWords(neededBytes)}${sum} on the disk of ${folder}, where ${inWords(free)} are free`
  })
  const [first, ...others] = tooSmall
  const room = first && others.length === 0 ? `${inWords(first.neededBytes - first.freeBytes)} there` : "some space on these disks"
  throw new AppError(
    "no_space",
    `${what} needs ${sentences.join("; and ")}.`,
    `Free ${room}, or move the data folder to another ${others.length === 0 ? "disk" : "one"} (NIBBLE_HOME).`,
  )
}

/** Bytes of `files` that a set would still write into `folder`: less what is verified, used or begun there, or lies in a cache. */
export async function missingBytes(folder: string, files: SetFile[]): Promise<number> {
  const known = new Map((await readManifest(folder))?.files.map((file) => [file.name, file]))
  const missing = async (file: SetFile) => {
    const entry = known.get(file.name)
    const isSame = entry?.bytes === file.bytes && entry.digest.hex === file.digest.hex
    if (file.cachedPath !== undefined || (isSame && (entry.state === "used" || (await isUnchanged(folder, entry))))) return 0
    return file.bytes - (await begunBytes({ ...file, path: join(folder, file.name) }))
  }
  return (await Promise.all(files.map(missing))).reduce((sum, bytes) => sum + bytes, 0)
}
