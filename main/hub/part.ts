// A file that is not here whole yet: NAME.part with bytes at their places, NAME.part.json with what they are part of and which of them
// count. What the second does not name is fetched again, so the bytes are safe on the disk before it names them.
import { createReadStream } from "node:fs"
import { constants, type FileHandle, open, readdir, readFile, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { syncFolder, writeFileAtomic } from "../storage/atomic-file.ts"
import { type ExpectedDigest, startDigest } from "./digest.ts"
import { createPartDigest } from "./part-digest.ts"
import { createRanges, type Ranges, type Span } from "./ranges.ts"

export interface Part {
  ranges: Ranges
  /** Of the answer that the bytes came from. */
  etag: string | null
  write(chunk: Uint8Array, at: number): Promise<void>
  /** Makes last what is here. Done now and then while bytes arrive; what goes wrong then is thrown by the next write. */
  save(): Promise<void>
  /** Forgets all bytes. Nobody may write meanwhile. */
  startOver(): Promise<void>
  /** Of the whole file, which must be here. */
  hash(signal: AbortSignal, onHashed: (bytes: number) => void): Promise<string>
  /** Puts the whole file into its place. */
  complete(): Promise<void>
  close(): Promise<void>
}

export interface Whole {
  path: string
  bytes: number
  digest: ExpectedDigest
}

const PartState = z.object({
  bytes: z.number(),
  hex: z.string(),
  etag: z.string().nullable(),
  done: z.array(z.object({ from: z.int().nonnegative(), to: z.int().nonnegative() })).max(100_000),
})
type PartState = z.infer<typeof PartState>

/** What would be lost by a crash is bounded in time and in bytes. */
const save_bytes = 64 << 20

/** Opens what is there of the file, or begins it. `save_ms`: between two savings. */
export async function openPart(whole: Whole, save_ms: number): Promise<Part> {
  await removeLeftovers(whole.path)
  const state = await readState(whole)
  const file = await open(`${whole.path}.part`, constants.O_RDWR | constants.O_CREAT)
  try {
    const { size } = await file.stat()
    const known = (state?.done ?? []).map(({ from, to }): Span => ({ from, to: Math.min(to, size, whole.bytes) }))
    const part = createPart(whole, file, { etag: state?.etag ?? null, known, save_ms })
    if (size > 0 && part.ranges.doneBytes() === 0) await part.startOver()
    return part
  } catch (thrown) {
    await file.close()
    throw thrown
  }
}

function createPart(whole: Whole, file: FileHandle, begun: { etag: string | null; known: Span[]; save_ms: number }): Part {
  const { path, bytes, digest: expected } = whole
  const ranges = createRanges(bytes, begun.known)
  const digest = createPartDigest(file, () => startDigest(expected, bytes))
  let saving: Promise<void> = Promise.resolve()
  let failure: unknown = null
  let unsaved = 0
  let timer: ReturnType<typeof setTimeout> | null = null
  digest.follow(null, ranges.prefix())

  async function saveNow(): Promise<void> {
    // What is written while the disk is waited for is named next time.
    const done = ranges.done()
    unsaved = 0
    if (done.length > 0) await file.datasync()
    await writeFileAtomic(`${path}.part.json`, JSON.stringify({ bytes, hex: expected.hex, etag: part.etag, done } satisfies PartState))
  }

  function saveInTurn(): Promise<void> {
    stopTimer()
    saving = saving.catch(() => {}).then(saveNow)
    return saving
  }

  function saveBehind(): void {
    saveInTurn().catch((thrown) => {
      failure = thrown
    })
  }

  function stopTimer(): void {
    if (timer) clearTimeout(timer)
    timer = null
  }

  const part: Part = {
    ranges,
    etag: begun.etag,
    async write(chunk, at) {
      if (failure !== null) throw failure
      for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten
      ranges.add({ from: at, to: at + chunk.length })
      digest.follow({ from: at, chunk }, ranges.prefix())
      unsaved += chunk.length
      if (unsaved >= save_bytes) saveBehind()
      else timer ??= setTimeout(saveBehind, begun.save_ms)
    },
    save: saveInTurn,
    async startOver() {
      stopTimer()
      await saving.catch(() => {})
      digest.reset()
      await digest.rest()
      // First the state, so that it never names bytes that are not there.
      await rm(`${path}.part.json`, { force: true })
      await file.truncate(0)
      ranges.clear()
      part.etag = null
    },
    hash: (signal, onHashed) => digest.finish(bytes, signal, onHashed),
    async complete() {
      stopTimer()
      await saving.catch(() => {})
      await file.sync()
      await part.close()
      await rename(`${path}.part`, path)
      await syncFolder(dirname(path))
      await rm(`${path}.part.json`, { force: true })
    },
    async close() {
      stopTimer()
      await saving.catch(() => {})
      digest.reset()
      await digest.rest()
      await file.close()
    },
  }
  return part
}

async function readState({ path, bytes, digest }: Whole): Promise<PartState | null> {
  try {
    const state = PartState.parse(JSON.parse(await readFile(`${path}.part.json`, "utf8")))
    return state.hex === digest.hex && state.bytes === bytes ? state : null
  } catch {
    return null
  }
}

/** Bytes of the file that the next transfer will not fetch. */
export async function begunBytes(whole: Whole): Promise<number> {
  const state = await readState(whole)
  const found = await stat(`${whole.path}.part`).catch(() => null)
  if (!state || !found) return 0
  return createRanges(
    whole.bytes,
    state.done.map(({ from, to }) => ({ from, to: Math.min(to, found.size, whole.bytes) })),
  ).doneBytes()
}

/** Whether the file at `path` is there, with this length and this hash. */
export async function isFileRight(whole: Whole, signal: AbortSignal, onHashed: (bytes: number) => void): Promise<boolean> {
  const found = await stat(whole.path).catch(() => null)
  if (!found?.isFile() || found.size !== whole.bytes) return false
  const digest = startDigest(whole.digest, whole.bytes)
  let done = 0
  for await (const chunk of createReadStream(whole.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (signal.aborted) throw new AppError("cancelled", "cancelled")
    digest.update(chunk)
    done += chunk.length
    onHashed(done)
  }
  return digest.hex() === whole.digest.hex
}

export async function removePart(path: string): Promise<void> {
  await rm(`${path}.part.json`, { force: true })
  await rm(`${path}.part`, { force: true })
  await removeLeftovers(path)
}

/** What a process left that ended while it wrote a state. */
async function removeLeftovers(path: string): Promise<void> {
  const names = await readdir(dirname(path)).catch(() => [])
  const isLeft = (name: string) => name.startsWith(`.${basename(path)}.part.json.`) && name.endsWith(".tmp")
  await Promise.all(names.filter(isLeft).map((name) => rm(join(dirname(path), name), { force: true })))
}
