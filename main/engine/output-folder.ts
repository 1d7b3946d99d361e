// A folder that appears complete or not at all: it is filled under another name beside its place and renamed at the end.
import { randomBytes } from "node:crypto"
import { mkdir, open, readdir, realpath, rename, rm, rmdir, stat } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { syncFolder } from "../storage/atomic-file.ts"

export interface OutputFolder {
  /** Where it will be. */
  readonly path: string
  /** Where it is filled. */
  readonly temporary: string
  complete(): Promise<void>
  /** Removes everything again; after complete() nothing. */
  abandon(): Promise<void>
}

/** Throws bad_input when something is there already; what the system says when it cannot be made. */
export async function createOutputFolder(out: string): Promise<OutputFolder> {
  if (out.includes("\0")) throw new AppError("bad_input", "The path of the output folder contains a NUL character.")
  const path = await realpath(out).catch(() => resolve(out))
  const isThere = await checkEmpty(path)
  const parent = dirname(path)
  if (parent === path) throw new AppError("bad_input", `${path} is the root of the file system, no place for a model.`)
  const firstMade = await mkdir(parent, { recursive: true })
  const prefix = `.${basename(path)}.partial-`
  await removeLeftovers(parent, prefix)
  const temporary = join(parent, `${prefix}${process.pid}-${randomBytes(4).toString("hex")}`)
  let isComplete = false
  await mkdir(temporary)
  return {
    path,
    temporary,
    async complete() {
      await checkEmpty(path)
      // So that after a power cut there is the whole folder or none, never one with holes.
      for (const name of await readdir(temporary)) await syncFile(join(temporary, name))
      // Not every system renames onto a folder, even an empty one.
      if (isThere) await rmdir(path)
      await rename(temporary, path)
      isComplete = true
      await syncFolder(parent)
    },
    async abandon() {
      if (isComplete) return
      await rm(temporary, { recursive: true, force: true })
      if (firstMade) await removeEmpty(parent, firstMade)
    },
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+")
  await file.sync().finally(() => file.close())
}

/** Whether there is an empty folder. Throws bad_input when something else is there. */
export async function checkEmpty(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  if (!found) return false
  const hint = "Give the name of a folder that does not exist yet."
  if (!found.isDirectory()) throw new AppError("bad_input", `${path} is a file; the quantized model is a folder.`, hint)
  if ((await readdir(path)).length > 0) throw new AppError("bad_input", `${path} is not empty; nothing is overwritten.`, hint)
  return true
}

/** What a process left that was ended while it wrote: its number is in the name, and no such process runs any more. */
async function removeLeftovers(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? /^(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length))?.[1] : undefined
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(parent, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Removes `folder` and those above it up to `last`, as far as they are empty. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  try {
    await rmdir(folder)
    if (folder !== last) await removeEmpty(dirname(folder), last)
  } catch {
    // Somebody put something there meanwhile: it stays.
  }
}
