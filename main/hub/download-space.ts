// Whether the disks have room for a download and what is made of it, asked before it begins.
import { AppError } from "../../shared/schema/error.ts"
import type { SetFile } from "./download-set.ts"

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

export async function spacePerVolume(needs: SpaceNeed[]): Promise<VolumeSpace[]> {
  throw new AppError("unsupported", `${needs.length}: This is being built.`)
}

/** Throws no_space with the numbers of every disk that is too small. `what`: "Downloading org/name". */
export async function requireVolumes(what: string, needs: SpaceNeed[]): Promise<void> {
  throw new AppError("unsupported", `${what} ${needs.length}: This is being built.`)
}

/** Bytes of `files` that a set would still write into `folder`: less what is verified, used, or begun there, or lies in a cache. */
export async function missingBytes(folder: string, files: SetFile[]): Promise<number> {
  throw new AppError("unsupported", `${folder} ${files.length}: This is being built.`)
}
