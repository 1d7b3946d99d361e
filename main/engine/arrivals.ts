// Files that are still coming: what waits for one goes on as soon as it is complete. The disk says what is complete, so that files from
// before count as well; an announcement only says when to look again.
import { stat } from "node:fs/promises"
import { AppError } from "../../shared/schema/error.ts"

/** A file takes its place when it is complete and verified; until then there is none, or only its header. */
export interface AwaitedFile {
  path: string
  /** Of the whole file. */
  bytes: number
}

export interface Arrivals {
  /** Something has arrived: everybody who waits looks. */
  announce(): void
  /** Which of `files` is complete, or becomes it first; in their order where several are. Rejects with "cancelled". */
  next<File extends AwaitedFile>(files: readonly File[], signal: AbortSignal): Promise<File>
}

export function createArrivals(): Arrivals {
  const waiting = new Set<() => void>()
  return {
    announce() {
      for (const wake of [...waiting]) wake()
    },
    async next(files, signal) {
      for (;;) {
        if (signal.aborted) throw new AppError("cancelled", "cancelled")
        const { promise, resolve } = Promise.withResolvers<void>()
        const wake = () => resolve()
        // Before the disk is asked: what arrives meanwhile is not missed.
        waiting.add(wake)
        signal.addEventListener("abort", wake)
        try {
          for (const file of files) if (await isComplete(file)) return file
          await promise
        } finally {
          waiting.delete(wake)
          signal.removeEventListener("abort", wake)
        }
      }
    },
  }
}

export async function isComplete({ path, bytes }: AwaitedFile): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found?.isFile() === true && found.size >= bytes
}
