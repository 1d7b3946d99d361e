// A folder of finished files that is gone on with after any end of the process, and appears complete or not at all: it is filled under a
// hidden name beside its place, with a journal of what is finished, and renamed at the end.
import { mkdir, readdir, readFile, realpath, rename, rm, rmdir, stat } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { syncFolder, writeFileAtomic } from "../storage/atomic-file.ts"
import { checkEmpty, syncFile } from "./output-folder.ts"

const FinishedFile = z.object({
  /** In this folder. */
  file: z.string().regex(/^[\w.-]+$/),
  /** Of the source file that it was made of. */
  source: z.string(),
  fileBytes: z.number(),
  /** Of the tensors' data. */
  dataBytes: z.number(),
  errors: z.array(z.object({ name: z.string(), error: z.number() })),
})
export type FinishedFile = z.infer<typeof FinishedFile>

const Journal = z.object({ digest: z.string(), finished: z.array(FinishedFile) })

const journalName = ".nibble-journal.json"

export interface ResumableFolder {
  /** Where it will be. */
  readonly path: string
  /** Where it is filled. */
  readonly temporary: string
  readonly finished: readonly FinishedFile[]
  /** Makes what was written last: from now on it is kept. */
  finish(file: FinishedFile): Promise<void>
  complete(): Promise<void>
}

/**
 * `digest` stands for everything that the files depend on: what was written under another one is thrown away. Throws bad_input when
 * something else is at `out`; what the system says when it cannot be made.
 */
export async function openResumableFolder(out: string, digest: string): Promise<ResumableFolder> {
  if (out.includes("\0")) throw new AppError("bad_input", "The path of the output folder contains a NUL character.")
  const path = await realpath(out).catch(() => resolve(out))
  const parent = dirname(path)
  if (parent === path) throw new AppError("bad_input", `${path} is the root of the file system, no place for a model.`)
  const temporary = unfinishedPath(path)
  await mkdir(parent, { recursive: true })
  await takeBack(path, temporary)
  const isThere = await checkEmpty(path)
  await mkdir(temporary, { recursive: true })
  const finished = await readFinished(temporary, digest)
  await removeOthers(temporary, finished)
  const save = () => writeFileAtomic(join(temporary, journalName), JSON.stringify({ digest, finished } satisfies z.infer<typeof Journal>))
  await save()
  return {
    path,
    temporary,
    finished,
    async finish(file) {
      // The source may go as soon as this is known, so it must outlast a power cut.
      await syncFile(join(temporary, file.file))
      finished.push(file)
      await save()
    },
    async complete() {
      await checkEmpty(path)
      for (const name of await readdir(temporary)) await syncFile(join(temporary, name))
      // Not every system renames onto a folder, even an empty one.
      if (isThere) await rmdir(path)
      await rename(temporary, path)
      await rm(join(path, journalName))
      await syncFolder(parent)
    },
  }
}

/** What openResumableFolder would find, without touching it. Null: the folder is complete, and nothing is left to be done. */
export async function peekResumableFolder(out: string, digest: string): Promise<FinishedFile[] | null> {
  const path = await realpath(out).catch(() => resolve(out))
  const isOurs = await hasJournal(path)
  const isThere = (await readdir(path).catch(() => [])).length > 0
  if (isThere && !isOurs) return null
  return readFinished(isOurs ? path : unfinishedPath(path), digest)
}

function unfinishedPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.unfinished`)
}

async function hasJournal(folder: string): Promise<boolean> {
  return stat(join(folder, journalName)).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** It was ended between the last two steps: the journal tells that the folder is ours. */
async function takeBack(path: string, temporary: string): Promise<void> {
  if (!(await hasJournal(path))) return
  await rm(temporary, { recursive: true, force: true })
  await rename(path, temporary)
}

async function readFinished(folder: string, digest: string): Promise<FinishedFile[]> {
  const journal = await readJournal(join(folder, journalName))
  if (journal?.digest !== digest) return []
  const isWhole = await Promise.all(
    journal.finished.map(async ({ file, fileBytes }) => {
      const found = await stat(join(folder, file)).catch(() => null)
      return found?.isFile() === true && found.size === fileBytes
    }),
  )
  return journal.finished.filter((_, i) => isWhole[i])
}

async function readJournal(path: string): Promise<z.infer<typeof Journal> | null> {
  try {
    return Journal.parse(JSON.parse(await readFile(path, "utf8")))
  } catch {
    return null
  }
}

async function removeOthers(folder: string, finished: FinishedFile[]): Promise<void> {
  const kept = new Set([journalName, ...finished.map(({ file }) => file)])
  for (const name of await readdir(folder)) if (!kept.has(name)) await rm(join(folder, name), { recursive: true, force: true })
}
