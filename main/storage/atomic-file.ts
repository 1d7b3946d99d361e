// Writes a file so that after a crash there is the old content or the new one, never a part.
import { randomBytes } from "node:crypto"
import { type FileHandle, open, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`)
  try {
    const file = await open(temporary, "wx")
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (thrown) {
    await rm(temporary, { force: true })
    throw thrown
  }
  await syncFolder(folder)
}

/** Makes a rename in `folder` last. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows has no such call for folders, and does not need it.
  if (process.platform === "win32") return
  let handle: FileHandle | undefined
  try {
    handle = await open(folder, "r")
    await handle.sync()
  } catch {
    // Some file systems refuse to sync a folder: the rename is in place all the same.
  } finally {
    await handle?.close()
  }
}
