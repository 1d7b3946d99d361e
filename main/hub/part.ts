// A file that is not here whole yet: NAME.part with the bytes, NAME.part.json with what they are part of.
import { createReadStream } from "node:fs"
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { syncFolder, writeFileAtomic } from "../storage/atomic-file.ts"
import { type ExpectedDigest, type RunningDigest, startDigest } from "./digest.ts"

export interface Part {
  file: FileHandle
  /** Bytes that are here. */
  offset: number
  /** Of these bytes. */
  digest: RunningDigest
  /** Of the answer that they came from. */
  etag: string | null
}

interface Whole {
  path: string
  bytes: number
  digest: ExpectedDigest
}

const PartState = z.object({ etag: z.string().nullable(), bytes: z.number(), hex: z.string() })

/** Opens what is there of the file, or begins it. */
export async function openPart(whole: Whole, signal: AbortSignal, onHashed: (bytes: number) => void): Promise<Part> {
  const state = await readState(whole)
  // For appending: what is written after startOver() goes to the beginning.
  const file = await open(`${whole.path}.part`, "a")
  try {
    const part: Part = { file, offset: 0, digest: startDigest(whole.digest, whole.bytes), etag: null }
    const { size } = await file.stat()
    if (size === 0) return part
    if (!state || size > whole.bytes) await startOver(whole, part)
    else {
      await hashFile(`${whole.path}.part`, part.digest, signal, onHashed)
      Object.assign(part, { offset: size, etag: state.etag })
    }
    return part
  } catch (thrown) {
    await file.close()
    throw thrown
  }
}

async function readState({ path, bytes, digest }: Whole): Promise<z.infer<typeof PartState> | null> {
  try {
    const state = PartState.parse(JSON.parse(await readFile(`${path}.part.json`, "utf8")))
    return state.hex === digest.hex && state.bytes === bytes ? state : null
  } catch {
    return null
  }
}

/** Says what the bytes that follow are part of. */
export async function saveState({ path, bytes, digest }: Whole, { etag }: Part): Promise<void> {
  await writeFileAtomic(`${path}.part.json`, JSON.stringify({ etag, bytes, hex: digest.hex } satisfies z.infer<typeof PartState>))
}

export async function startOver(whole: Whole, part: Part): Promise<void> {
  await part.file.truncate(0)
  Object.assign(part, { offset: 0, digest: startDigest(whole.digest, whole.bytes), etag: null })
}

export async function hashFile(path: string, digest: RunningDigest, signal: AbortSignal, onHashed: (bytes: number) => void): Promise<void> {
  let done = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (signal.aborted) throw new AppError("cancelled", "cancelled")
    digest.update(chunk)
    done += chunk.length
    onHashed(done)
  }
}

/** Puts the whole file into its place. */
export async function completePart(path: string): Promise<void> {
  await rename(`${path}.part`, path)
  await rm(`${path}.part.json`, { force: true })
  await syncFolder(dirname(path))
}

export async function removePart(path: string): Promise<void> {
  await rm(`${path}.part`, { force: true })
  await rm(`${path}.part.json`, { force: true })
}
