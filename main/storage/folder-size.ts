import { lstat, readdir } from "node:fs/promises"
import { join } from "node:path"

export interface Size {
  bytes: number
  files: number
}

/** Of a file, or of everything in a folder. Links are not followed: what they lead to lies elsewhere. What goes away meanwhile counts as nothing. */
export async function sizeOf(path: string): Promise<Size> {
  const about = await lstat(path).catch(() => null)
  if (about?.isFile()) return { bytes: about.size, files: 1 }
  if (!about?.isDirectory()) return { bytes: 0, files: 0 }
  const total = { bytes: 0, files: 0 }
  for (const name of await readdir(path).catch(() => [])) {
    const { bytes, files } = await sizeOf(join(path, name))
    total.bytes += bytes
    total.files += files
  }
  return total
}
