// What an addition keeps on the disk, in a folder of its own below the downloads:
//   files/     what was downloaded, with the manifest of the transfer
//   NAME/      the model as the engine reads it: headers of the weights first, each replaced by its file when that is verified, and
//              put back when the file is used
//   headers/   where they are put back from
//   made/      the quantized model, while it is being made
//   originals/ what was downloaded, on its way to the models
import { copyFile, cp, link, lstat, mkdir, readdir, realpath, rename, rm, stat, symlink } from "node:fs/promises"
import { basename, join } from "node:path"
import { syncFolder } from "../storage/atomic-file.ts"
import { folderNameFor } from "../storage/model-folders.ts"

export class AdditionFolders {
  readonly top: string
  readonly files: string
  /** Named like the model: what is made from it is called so. */
  readonly model: string
  readonly #headers: string
  readonly made: string
  /** Where originals are brought together before they are put among the models. */
  readonly gathered: string

  constructor(downloads: string, id: string, name: string) {
    this.top = join(downloads, id)
    this.files = join(this.top, "files")
    // In a folder of its own, so that no name is in the way of the others.
    this.model = join(this.top, "model", folderNameFor(name))
    this.#headers = join(this.top, "headers")
    this.made = join(this.top, "made")
    this.gathered = join(this.top, "originals")
  }

  /** Makes the model's folder with headers only, as it is before any file is there. `headers`: where the hub's part keeps them. */
  async reset(headers: string): Promise<void> {
    await mkdir(this.files, { recursive: true })
    if (!(await exists(this.#headers))) {
      await rm(`${this.#headers}.new`, { recursive: true, force: true })
      await cp(headers, `${this.#headers}.new`, { recursive: true, dereference: true })
      await rename(`${this.#headers}.new`, this.#headers)
    }
    await rm(this.model, { recursive: true, force: true })
    await cp(this.#headers, this.model, { recursive: true })
  }

  /** A verified file takes its place in the model's folder. */
  async place(name: string, path: string): Promise<void> {
    const target = join(this.model, name)
    const arriving = join(this.model, `.${name}.arriving`)
    await rm(arriving, { force: true })
    await linkOrCopy(path, arriving)
    await rename(arriving, target)
  }

  /** Only its header is left of it in the model's folder. */
  async putBack(name: string): Promise<void> {
    const header = join(this.model, `.${name}.header`)
    await copyFile(join(this.#headers, name), header)
    await rename(header, join(this.model, name))
  }

  /** Removes what was begun with other options. */
  async keepOnlyMade(name: string): Promise<void> {
    await mkdir(this.made, { recursive: true })
    for (const entry of await readdir(this.made)) {
      if (entry !== name && entry !== `.${name}.unfinished`) await rm(join(this.made, entry), { recursive: true, force: true })
    }
  }

  /** A folder with all of `files`, to be put among the models. Takes no room beside them where the disk can link. */
  async gather(files: { name: string; path: string }[]): Promise<string> {
    const folder = this.gathered
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
    for (const { name, path } of files) await linkOrCopy(path, join(folder, basename(name)), { isLasting: true })
    await syncFolder(folder)
    return folder
  }

  async remove(): Promise<number> {
    const bytes = await sizeOf(this.top)
    await rm(this.top, { recursive: true, force: true, maxRetries: 3 })
    return bytes
  }
}

/** `isLasting`: the copy is to outlive the original, so a link that only names it will not do. */
async function linkOrCopy(path: string, target: string, { isLasting = false } = {}): Promise<void> {
  // The cache of the hub holds links to its files.
  const real = await realpath(path)
  try {
    await link(real, target)
  } catch {
    // Another disk, or one that knows no links.
    if (isLasting) await copyFile(real, target)
    else await symlink(real, target).catch(() => copyFile(real, target))
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Bytes of the files below; a file with several names counts once, links as nothing. */
async function sizeOf(path: string, seen = new Set<string>()): Promise<number> {
  const found = await lstat(path).catch(() => null)
  if (!found) return 0
  if (found.isDirectory()) {
    let sum = 0
    for (const name of await readdir(path)) sum += await sizeOf(join(path, name), seen)
    return sum
  }
  const identity = `${found.dev} ${found.ino}`
  if (!found.isFile() || seen.has(identity)) return 0
  seen.add(identity)
  return found.size
}
