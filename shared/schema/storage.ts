// What of the disk is Nibble's.
import { z } from "zod"

export const StorageFolder = z.object({
  kind: z.enum(["models", "downloads", "database", "huggingface_cache"]),
  path: z.string(),
  bytes: z.number(),
  files: z.int(),
  /** What storage.clean would free of it. */
  cleanableBytes: z.number(),
})
export type StorageFolder = z.infer<typeof StorageFolder>

export const StorageReport = z.object({
  folders: z.array(StorageFolder),
  /** Of the disk that the data folder is on. */
  freeBytes: z.number(),
  totalBytes: z.number(),
})
export type StorageReport = z.infer<typeof StorageReport>
