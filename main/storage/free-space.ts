// Room on a disk, asked before something large is written there.
import { statfs } from "node:fs/promises"
import { AppError } from "../../shared/schema/error.ts"

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
    `${purpose} needs ${megabytes(bytes)} in ${folder}, and ${megabytes(available)} are free there.`,
    "Free some space on this disk, or set NIBBLE_HOME to a folder on another.",
  )
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6).toLocaleString("en-US")} MB`
}
