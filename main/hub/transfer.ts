// Brings one file of known size and hash to this computer. It is written beside its place under another name, goes on where it was cut
// off (also after a restart, or a sudden end of the program), and takes its place only when the hash is right.
import { createReadStream } from "node:fs"
import { mkdir } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import { requireSpace } from "../storage/free-space.ts"
import type { ExpectedDigest } from "./digest.ts"
import { type Network, usualNetwork } from "./network.ts"
import { isFileRight, openPart, type Part, removePart } from "./part.ts"
import { type Pace, type Tries, type Trouble, usualPace } from "./transfer-retry.ts"
import { fetchStreams } from "./transfer-streams.ts"

export interface TransferRequest {
  /** https:, http: or file: */
  address: string
  /** Where the file is to be. */
  path: string
  bytes: number
  digest: ExpectedDigest
  authorization?: string | null
  /** Default: as the environment says. */
  network?: Network | undefined
  /** Of its connections among those of other transfers; 0 (default) comes first. */
  rank?: number
  signal: AbortSignal
  /** There is a connection for it, and a request is made (also again and again). */
  onRequest?(): void
  /** "verify" while bytes that are here are hashed, before the transfer or at its end. */
  onProgress(phase: "download" | "verify", bytesDone: number): void
  /** A try failed and there will be another one. */
  onTrouble?(trouble: Trouble): void
  pace?: Partial<Pace>
}

/** A file with the wrong hash is fetched so often in all. */
const fetches = 2

export async function transfer(wish: TransferRequest): Promise<void> {
  await mkdir(dirname(wish.path), { recursive: true })
  if (await isFileRight(wish, wish.signal, (done) => wish.onProgress("verify", done))) return removePart(wish.path)
  const tries = { count: 1 }
  for (let fetched = 1; ; fetched++) {
    const wrong = await fetchOnce(wish, tries)
    if (wrong === null) return
    if (fetched === fetches || wish.address.startsWith("file:")) throw wrong
    wish.onTrouble?.({ error: wrong, retryAt: Date.now(), attempt: ++tries.count })
  }
}

/** Returns what to say where the bytes came and are the wrong ones. */
async function fetchOnce(wish: TransferRequest, tries: Tries): Promise<AppError | null> {
  const pace = { ...usualPace, ...wish.pace }
  const part = await openPart(wish, pace.save_ms)
  try {
    await requireSpace(dirname(wish.path), wish.bytes - part.ranges.doneBytes(), `Downloading ${basename(wish.path)}`)
    await bring(wish, part, { pace, tries })
    const hex = await part.hash(wish.signal, (done) => wish.onProgress("verify", done))
    if (hex === wish.digest.hex) {
      await part.complete()
      return null
    }
    await part.close()
    await removePart(wish.path)
    return wrongHash(wish, hex)
  } catch (thrown) {
    const error = asTransferError(thrown, wish, part)
    // What is wrong is of no use for another try.
    const isKept = error.code !== "bad_file"
    if (isKept) await part.save().catch(() => {})
    await part.close().catch(() => {})
    if (!isKept) await removePart(wish.path)
    throw error
  }
}

async function bring(wish: TransferRequest, part: Part, effort: { pace: Pace; tries: Tries }): Promise<void> {
  const { authorization = null, network = usualNetwork(), rank = 0, onRequest = () => {}, onTrouble = () => {} } = wish
  const onBytes = () => wish.onProgress("download", part.ranges.doneBytes())
  if (wish.address.startsWith("file:")) {
    onRequest()
    return copyIn(wish, part, onBytes)
  }
  if (part.ranges.doneBytes() > 0) onBytes()
  await fetchStreams({ ...wish, ...{ authorization, network, rank, onRequest, onBytes, onTrouble }, ...effort }, part)
}

async function copyIn(wish: TransferRequest, part: Part, onBytes: () => void): Promise<void> {
  const source = fileURLToPath(wish.address)
  let done = 0
  for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (wish.signal.aborted) throw new AppError("cancelled", "cancelled")
    if (done + chunk.length > wish.bytes)
      throw new AppError("bad_file", `${source} has more than the ${wish.bytes} bytes that ${basename(wish.path)} has.`)
    await part.write(chunk, done)
    done += chunk.length
    onBytes()
  }
  if (done < wish.bytes) throw new AppError("bad_file", `${source} has ${done} bytes; ${basename(wish.path)} has ${wish.bytes}.`)
}

function wrongHash({ path, digest }: TransferRequest, hex: string): AppError {
  return new AppError(
    "bad_file",
    `What was downloaded as ${basename(path)} is not the file that was expected: its ${digest.algorithm} is ${hex}, not ${digest.hex}.`,
    "Try again. If it happens again, a proxy or the server changes the file.",
  )
}

function asTransferError(thrown: unknown, wish: TransferRequest, part: Part): AppError {
  if (thrown instanceof AppError) return thrown
  const { code, message } = toErrorData(thrown)
  if (code === "no_space")
    return new AppError(
      code,
      `The disk filled up when ${part.ranges.doneBytes()} of the ${wish.bytes} bytes of ${basename(wish.path)} were here.`,
      "They are kept: free some space, and the next try goes on from there.",
    )
  return new AppError(code, code === "cancelled" ? message : `${basename(wish.path)} could not be brought here: ${message}`)
}
