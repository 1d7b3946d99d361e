// A folder that holds a model's weights only in part: their headers, fetched from the hub so that the model can be planned for before it
// is downloaded. Each file of weights there is a row of ranges of the whole one; a note beside them says which. Whoever reads the
// folder sees files of their full size, and gets an error for bytes that are not there.
import { readFile, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { writeFileAtomic } from "../storage/atomic-file.ts"

const noteName = ".nibble-headers.json"
const maxNoteBytes = 16 << 20

const size = z.int().nonnegative()
const PartialFile = z.object({
  /** Of the whole file. */
  bytes: size,
  /** What is here: [offset in the whole file, bytes], one behind the other. */
  ranges: z.array(z.tuple([size, size])).max(100_000),
})
export type PartialFile = z.infer<typeof PartialFile>

const Note = z.object({ files: z.record(z.string(), PartialFile) })

/** What the folder's note says of its files, by name. Empty for every usual folder. */
export async function partialFiles(folder: string): Promise<Map<string, PartialFile>> {
  const path = join(folder, noteName)
  const about = await stat(path).catch(() => null)
  if (!about?.isFile() || about.size > maxNoteBytes) return new Map()
  try {
    return new Map(Object.entries(Note.parse(JSON.parse(await readFile(path, "utf8"))).files))
  } catch {
    // Not ours: the files are what they are.
    return new Map()
  }
}

export async function writePartialFiles(folder: string, files: ReadonlyMap<string, PartialFile>): Promise<void> {
  await writeFileAtomic(join(folder, noteName), JSON.stringify({ files: Object.fromEntries(files) }))
}

/** Null when the file is whole, as nearly all are. `bytes`: what it has on the disk. */
export async function partialFile(path: string, bytes: number): Promise<PartialFile | null> {
  const partial = (await partialFiles(dirname(path))).get(basename(path))
  // A file that has come whole meanwhile takes the place of its header.
  return partial && partial.bytes !== bytes ? partial : null
}

/** Where bytes of the whole file lie in the partial one; null where they do not. */
export function placeInPartial({ ranges }: PartialFile, offset: number, bytes: number): number | null {
  let before = 0
  for (const [start, length] of ranges) {
    if (offset >= start && offset + bytes <= start + length) return before + offset - start
    before += length
  }
  return null
}

/** Throws not_found when one of these files is here in part only: before its weights are used, not in the middle of it. */
export async function requireWholeFiles(files: string[]): Promise<void> {
  for (const path of files) {
    const about = await stat(path).catch(() => null)
    if (about && (await partialFile(path, about.size))) {
      throw new AppError(
        "not_found",
        `${path} holds only the header of the weights, which is enough to plan for the model but not to use it.`,
        "Download the model first.",
      )
    }
  }
}
