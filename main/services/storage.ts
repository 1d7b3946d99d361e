// What of the disk is Nibble's, and giving back what nobody needs: files of downloads that are not gone on with.
import { readdir, rm, statfs } from "node:fs/promises"
import { join } from "node:path"
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { StorageFolder } from "../../shared/schema/storage.ts"
import { type Size, sizeOf } from "../storage/folder-size.ts"
import type { DataPaths } from "../storage/paths.ts"
import type { Jobs } from "./jobs.ts"

export interface StorageService {
  handlers: Pick<Handlers<AppContract>, "storage.report" | "storage.clean">
}

export interface StorageOptions {
  paths: DataPaths
  jobs: Jobs
  /** Names in the folder of downloads that somebody goes on with. */
  keptDownloads(): Set<string>
  /** The Hugging Face cache of this user; null where it is not used. */
  huggingFaceCache(): string | null
}

export function createStorage({ paths, jobs, keptDownloads, huggingFaceCache }: StorageOptions): StorageService {
  /** The starter does not say which files it goes on with, so while it is set up nothing is cleaned. */
  function isDownloading(): boolean {
    return jobs.list().some(({ kind, state }) => state === "running" && kind === "starter")
  }

  async function leftDownloads(): Promise<string[]> {
    if (isDownloading()) return []
    const kept = keptDownloads()
    return (await readdir(paths.downloads)).filter((name) => !kept.has(name)).map((name) => join(paths.downloads, name))
  }

  async function cleanable(): Promise<number> {
    const sizes = await Promise.all((await leftDownloads()).map(sizeOf))
    return sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  return {
    handlers: {
      async "storage.report"() {
        const folder = async (kind: StorageFolder["kind"], path: string, cleanableBytes = 0): Promise<StorageFolder> => ({
          ...{ kind, path, cleanableBytes },
          ...(await sizeOf(path)),
        })
        const cache = huggingFaceCache()
        const disk = await statfs(paths.home)
        return {
          folders: await Promise.all([
            folder("models", paths.models),
            folder("downloads", paths.downloads, await cleanable()),
            databaseFolder(paths.database),
            ...(cache === null ? [] : [folder("huggingface_cache", cache)]),
          ]),
          freeBytes: disk.bavail * disk.bsize,
          totalBytes: disk.blocks * disk.bsize,
        }
      },

      async "storage.clean"() {
        if (isDownloading()) throw new AppError("busy", "A download is under way.", "Wait for its end, or cancel it.")
        let freedBytes = 0
        for (const path of await leftDownloads()) {
          const { bytes } = await sizeOf(path)
          await rm(path, { recursive: true, force: true, maxRetries: 3 })
          freedBytes += bytes
        }
        return { freedBytes }
      },
    },
  }
}

/** The database and what SQLite keeps beside it. */
async function databaseFolder(path: string): Promise<StorageFolder> {
  const sizes = await Promise.all(["", "-wal", "-shm"].map((suffix) => sizeOf(path + suffix)))
  const sum = (pick: (size: Size) => number) => sizes.reduce((total, size) => total + pick(size), 0)
  return { kind: "database", path, cleanableBytes: 0, bytes: sum(({ bytes }) => bytes), files: sum(({ files }) => files) }
}
