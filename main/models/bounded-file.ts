// Reading parts of files that strangers made: every range is checked against the size of the file before a byte is allocated.
import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { AppError } from "../../shared/schema/error.ts"
import { type PartialFile, partialFile, placeInPartial } from "./header-folder.ts"

export const damagedHint = "The file is damaged or incomplete. Download or copy it again."

export interface BoundedFile {
  readonly path: string
  /** Of the whole file, also where only its header is here. */
  readonly size: number
  /** Exactly `bytes` bytes from `offset` on. Throws bad_file when the file does not have them. */
  read(offset: number, bytes: number): Promise<Buffer>
}

/** Opens a regular file for the time of `use`. A folder, a pipe or a device is refused before it is read. */
export async function withFile<Result>(path: string, use: (file: BoundedFile) => Promise<Result>): Promise<Result> {
  let handle: FileHandle | undefined
  try {
    // Opening a pipe would otherwise wait for somebody to write to it.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const about = await handle.stat()
    if (about.isDirectory()) throw new AppError("bad_input", `${path} is a folder, not a file.`)
    if (!about.isFile()) throw new AppError("bad_input", `${path} is not a regular file.`)
    return await use(boundedFile(path, about.size, await partialFile(path, about.size), handle))
  } catch (thrown) {
    throw fileError(thrown, path)
  } finally {
    await handle?.close()
  }
}

function boundedFile(path: string, bytesHere: number, partial: PartialFile | null, handle: FileHandle): BoundedFile {
  const size = partial?.bytes ?? bytesHere
  const read = async (offset: number, bytes: number) => {
    if (offset < 0 || bytes < 0 || offset + bytes > size) {
      throw new AppError("bad_file", `${path}: bytes ${offset} to ${offset + bytes} are needed, but the file has ${size}.`, damagedHint)
    }
    const place = partial ? placeInPartial(partial, offset, bytes) : offset
    if (place === null) throw new AppError("not_found", `${path} holds only the header of the weights.`, "Download the model first.")
    if (place + bytes > bytesHere) throw new AppError("bad_file", `${path} has ${bytesHere} bytes, fewer than its note says.`, damagedHint)
    const buffer = Buffer.allocUnsafe(bytes)
    let done = 0
    while (done < bytes) {
      const { bytesRead } = await handle.read(buffer, done, bytes - done, place + done)
      if (bytesRead === 0) throw new AppError("bad_file", `${path} ended at byte ${offset + done} while it was read.`, damagedHint)
      done += bytesRead
    }
    return buffer
  }
  return { path, size, read }
}

/** The text of a small file. Throws bad_file when it is larger than `maxBytes` or not UTF-8. */
export function readText(path: string, maxBytes: number): Promise<string> {
  return withFile(path, async (file) => {
    if (file.size > maxBytes) throw new AppError("bad_file", `${path} has ${file.size} bytes; at most ${maxBytes} are read.`)
    return decodeText(await file.read(0, file.size), path)
  })
}

/** Null where there is no such file. */
export async function readOptionalText(path: string, maxBytes: number): Promise<string | null> {
  try {
    return await readText(path, maxBytes)
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "not_found") return null
    throw thrown
  }
}

export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw new AppError("bad_file", `${what} is not UTF-8 text.`, damagedHint)
  }
}

/** A system error as one of ours, with the path. */
export function fileError(thrown: unknown, path: string): AppError {
  if (thrown instanceof AppError) return thrown
  const { code, message } = thrown as NodeJS.ErrnoException
  const cause = { cause: thrown }
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new AppError("not_found", `There is no ${path}.`, undefined, cause)
    case "EACCES":
    case "EPERM":
      return new AppError("no_permission", `${path} may not be read by this user.`, "Change its permissions, or choose another.", cause)
    case "ELOOP":
      return new AppError("bad_file", `${path} is a link that leads back to itself.`, undefined, cause)
    case "ENAMETOOLONG":
    case "ERR_INVALID_ARG_VALUE":
      return new AppError("bad_input", `${path.slice(0, 200)} is no possible path.`, undefined, cause)
    case "EMFILE":
    case "ENFILE":
      return new AppError("busy", `${path} could not be opened: too many files are open.`, undefined, cause)
    default:
      return new AppError("internal", `${path} could not be read: ${message}`, undefined, cause)
  }
}
