// Room on a disk, asked before something large is written there.
import { statfs } from "node:fs/promises"
import { AppError } from "../../shared/schema/error.ts"
import { bytes as inWords } from "../sizes.ts"

/** Bytes that this user may still write on the disk of `folder`. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

export async function requireSpace(folder: string, bytes: number, purpose: string, free = freeBytes): Promise<void> {
  const available = await free(folder)
  if (available >= bytes) return
  throw new AppError(
    "no_space",
    `${purpose} needs ${inWords(bytes)} in ${folder}, and ${inWords(available)} are free there.`,
    "Free some space on this disk, or choose a folder on another.",
  )
}
