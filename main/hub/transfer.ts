// Brings one file of known size and hash to this computer. It is written beside its place under another name, goes on where it was cut
// off (also after a restart), and takes its place only when the hash is right.
import { createReadStream } from "node:fs"
import { mkdir, stat } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import { requireSpace } from "../storage/free-space.ts"
import { type ExpectedDigest, startDigest } from "./digest.ts"
import { completePart, hashFile, openPart, type Part, removePart, saveState, startOver } from "./part.ts"
import { refusal, TryAgain } from "./refusal.ts"
import { type Answer, networkError, request } from "./request.ts"

export interface TransferRequest {
  /** https:, http: or file: */
  address: string
  /** Where the file is to be. */
  path: string
  bytes: number
  digest: ExpectedDigest
  authorization?: string | null
  signal: AbortSignal
  /** "verify" while bytes that were here before are hashed. */
  onProgress(phase: "download" | "verify", bytesDone: number): void
  pace?: Partial<Pace>
}

export interface Pace {
  headers_ms: number
  /** Without a byte for so long, the connection is given up. */
  stall_ms: number
  /** Failures in a row, without much progress between them. */
  attempts: number
  /** Pause after the first failure; doubled each time. */
  backOff_ms: number
  /** A server that asks for a longer pause is given up. */
  longestPause_ms: number
}
const usualPace: Pace = { headers_ms: 15_000, stall_ms: 30_000, attempts: 5, backOff_ms: 500, longestPause_ms: 60_000 }

/** So much progress makes earlier failures forgotten. */
const progress_bytes = 1 << 20

export async function transfer(wish: TransferRequest): Promise<void> {
  const pace = { ...usualPace, ...wish.pace }
  await mkdir(dirname(wish.path), { recursive: true })
  if (await isThere(wish)) return
  const part = await openPart(wish, wish.signal, (done) => wish.onProgress("verify", done))
  try {
    await requireSpace(dirname(wish.path), wish.bytes - part.offset, `Downloading ${basename(wish.path)}`)
    if (wish.address.startsWith("file:")) await copyIn(wish, part)
    else await fetchAll(wish, part, pace)
    await finish(wish, part)
  } catch (thrown) {
    const error = asTransferError(thrown, wish, part)
    await part.file.close().catch(() => {})
    // What is wrong or in the way is of no use for another try.
    if (error.code === "bad_file" || error.code === "no_space") await removePart(wish.path)
    throw error
  }
}

async function isThere(wish: TransferRequest): Promise<boolean> {
  const found = await stat(wish.path).catch(() => null)
  if (!found?.isFile() || found.size !== wish.bytes) return false
  const digest = startDigest(wish.digest, wish.bytes)
  await hashFile(wish.path, digest, wish.signal, (done) => wish.onProgress("verify", done))
  return digest.hex() === wish.digest.hex
}

async function fetchAll(wish: TransferRequest, part: Part, pace: Pace): Promise<void> {
  let failures = 0
  let before = part.offset
  while (part.offset < wish.bytes) {
    try {
      await fetchSome(wish, part, pace)
    } catch (thrown) {
      if (!(thrown instanceof TryAgain)) throw thrown
      if (part.offset - before >= progress_bytes) failures = 0
      before = part.offset
      failures++
      const pause_ms = thrown.pause_ms ?? pace.backOff_ms * 2 ** (failures - 1)
      if (failures >= pace.attempts || pause_ms > pace.longestPause_ms) throw thrown.error
      await sleep(pause_ms, undefined, { signal: wish.signal })
    }
  }
}

/** One request and as much of its answer as comes. */
async function fetchSome(wish: TransferRequest, part: Part, pace: Pace): Promise<void> {
  const { signal, authorization = null } = wish
  // A weak tag does not say that the bytes are the same, so it cannot guard a range; the hash does in the end.
  const canGuard = part.etag !== null && !part.etag.startsWith("W/")
  const headers: Record<string, string> = {
    // Compressed in transfer, ranges and lengths would be those of other bytes.
    "accept-encoding": "identity",
    ...(part.offset > 0 ? { range: `bytes=${part.offset}-` } : {}),
    ...(part.offset > 0 && canGuard ? { "if-range": String(part.etag) } : {}),
  }
  const answer = await request(wish.address, { headers, authorization, signal, headers_ms: pace.headers_ms }).catch((thrown) => {
    throw thrown instanceof AppError && thrown.code === "network" ? new TryAgain(thrown) : thrown
  })
  try {
    await begin(wish, part, answer)
    await readBody(wish, part, answer, pace.stall_ms)
  } finally {
    answer.abort(new AppError("cancelled", "cancelled"))
  }
}

/** Checks the status and the range of the answer, and makes the part ready for its body. */
async function begin(wish: TransferRequest, part: Part, { response, host }: Answer): Promise<void> {
  const name = basename(wish.path)
  if (response.status === 416) {
    const error = new AppError("network", `${host} has no bytes of ${name} from ${part.offset} on.`)
    await startOver(wish, part)
    throw new TryAgain(error)
  }
  if (response.status !== 200 && response.status !== 206) throw refusal(response, `${name} from ${host}`)
  if (response.status === 206) {
    const [, from, total] = response.headers.get("content-range")?.match(/^bytes (\d+)-\d+\/(\d+|\*)$/) ?? []
    const fits = Number(from) === part.offset && (total === "*" || Number(total) === wish.bytes)
    if (!fits) {
      await startOver(wish, part)
      throw new TryAgain(new AppError("network", `${host} sent another range of ${name} than was asked for.`))
    }
  } else {
    if (part.offset > 0) await startOver(wish, part)
    const length = response.headers.get("content-length")
    if (length !== null && Number(length) !== wish.bytes) {
      throw new AppError(
        "network",
        `${host} offers ${length} bytes as ${name}, which has ${wish.bytes}.`,
        "A proxy or a sign-in page may be in between.",
      )
    }
  }
  part.etag = response.headers.get("etag")
  await saveState(wish, part)
}

async function readBody(wish: TransferRequest, part: Part, answer: Answer, stall_ms: number): Promise<void> {
  const name = basename(wish.path)
  const stalled = new AppError("network", `${answer.host} sent nothing of ${name} for ${stall_ms / 1000} s.`)
  let timer = setTimeout(() => answer.abort(stalled), stall_ms)
  const chunks = answer.response.body?.getReader()
  try {
    while (chunks) {
      const { done, value } = await chunks.read().catch((thrown) => {
        const error = networkError(thrown, answer.host)
        throw error.code === "network" ? new TryAgain(error) : error
      })
      clearTimeout(timer)
      if (done) break
      await take(wish, part, value, answer.host)
      timer = setTimeout(() => answer.abort(stalled), stall_ms)
    }
  } finally {
    clearTimeout(timer)
  }
  if (part.offset === wish.bytes) return
  throw new TryAgain(new AppError("network", `${answer.host} sent ${part.offset} of the ${wish.bytes} bytes of ${name}.`))
}

async function take(wish: TransferRequest, part: Part, chunk: Uint8Array, from: string): Promise<void> {
  if (wish.signal.aborted) throw new AppError("cancelled", "cancelled")
  if (part.offset + chunk.length > wish.bytes)
    throw new AppError("bad_file", `${from} sent more than the ${wish.bytes} bytes that ${basename(wish.path)} has.`)
  await part.file.writeFile(chunk)
  part.digest.update(chunk)
  part.offset += chunk.length
  wish.onProgress("download", part.offset)
}

async function copyIn(wish: TransferRequest, part: Part): Promise<void> {
  if (part.offset > 0) await startOver(wish, part)
  const source = fileURLToPath(wish.address)
  for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>)
    await take(wish, part, chunk, source)
  if (part.offset < wish.bytes)
    throw new AppError("bad_file", `${source} has ${part.offset} bytes; ${basename(wish.path)} has ${wish.bytes}.`)
}

async function finish(wish: TransferRequest, part: Part): Promise<void> {
  const hex = part.digest.hex()
  if (hex !== wish.digest.hex) {
    throw new AppError(
      "bad_file",
      `What was downloaded as ${basename(wish.path)} is not the file that was expected: its ${wish.digest.algorithm} is ${hex}, not ${wish.digest.hex}.`,
      "Try again. If it happens again, a proxy or the server changes the file.",
    )
  }
  await part.file.sync()
  await part.file.close()
  await completePart(wish.path)
}

function asTransferError(thrown: unknown, wish: TransferRequest, part: Part): AppError {
  if (thrown instanceof AppError) return thrown
  const { code, message } = toErrorData(thrown)
  if (code === "no_space")
    return new AppError(
      code,
      `The disk filled up when ${part.offset} of the ${wish.bytes} bytes of ${basename(wish.path)} were here.`,
      "Free some space, or set NIBBLE_HOME to a folder on another disk.",
    )
  return new AppError(code, code === "cancelled" ? message : `${basename(wish.path)} could not be brought here: ${message}`)
}
