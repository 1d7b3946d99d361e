// A file of the hub that is read in parts, by range requests; what was read is kept, to be written down as a partial file.
import { AppError } from "../../shared/schema/error.ts"
import type { BoundedFile } from "../models/bounded-file.ts"
import type { PartialFile } from "../models/header-folder.ts"
import type { Network } from "./network.ts"
import { refusal, TryAgain } from "./refusal.ts"
import { readBytes, request } from "./request.ts"

export interface RemoteFileOptions {
  address: string
  /** As errors name it. */
  name: string
  /** Of the whole file, as the hub says. */
  size: number
  authorization: string | null
  network: Network | undefined
  signal: AbortSignal
}

/** Headers of large models have some hundred KiB; asking twice costs more than some bytes too many. */
const least_bytes = 256 << 10
/** Vocabularies of GGUF files have some MiB. Who sends more than this is not read. */
const most_bytes = 96 << 20
const answer_ms = 15_000

export class RemoteFile implements BoundedFile {
  readonly path: string
  readonly size: number
  private readonly options: RemoteFileOptions
  /** By rising offset, without overlaps. */
  private pieces: { offset: number; bytes: Buffer }[] = []
  private fetched = 0

  constructor(options: RemoteFileOptions) {
    this.options = options
    this.path = options.name
    this.size = options.size
  }

  async read(offset: number, bytes: number): Promise<Buffer> {
    if (offset < 0 || bytes < 0 || offset + bytes > this.size)
      throw new AppError("bad_file", `${this.path}: bytes ${offset} to ${offset + bytes} are needed, but the file has ${this.size}.`)
    const known = this.find(offset, bytes)
    if (known) return known
    const before = this.pieces.find((piece) => offset >= piece.offset && offset <= piece.offset + piece.bytes.length)
    const start = before ? before.offset + before.bytes.length : offset
    // A jump into the data wants just that; reading on wants more soon.
    const wanted = before || offset === 0 ? Math.max(offset + bytes - start, least_bytes) : bytes
    const end = Math.min(this.size, start + wanted, this.nextAfter(start))
    this.keep(start, await this.fetch(start, end))
    const found = this.find(offset, bytes)
    if (!found) throw new AppError("network", `${this.path}: bytes ${offset} to ${offset + bytes} did not come.`, "Try again.")
    return found
  }

  /** What was read: the note, and the bytes one behind the other. */
  partial(): { note: PartialFile; bytes: Buffer } {
    const ranges = this.pieces.map(({ offset, bytes }): [number, number] => [offset, bytes.length])
    return { note: { bytes: this.size, ranges }, bytes: Buffer.concat(this.pieces.map(({ bytes }) => bytes)) }
  }

  /** Forgets what lies behind `end`, except what was read for itself. */
  trim(end: number): void {
    const [first, ...rest] = this.pieces
    if (first?.offset === 0) this.pieces = [{ offset: 0, bytes: first.bytes.subarray(0, end) }, ...rest]
  }

  private find(offset: number, bytes: number): Buffer | null {
    const piece = this.pieces.find((one) => offset >= one.offset && offset + bytes <= one.offset + one.bytes.length)
    return piece ? piece.bytes.subarray(offset - piece.offset, offset - piece.offset + bytes) : null
  }

  private nextAfter(start: number): number {
    return this.pieces.find(({ offset }) => offset > start)?.offset ?? Number.POSITIVE_INFINITY
  }

  private keep(offset: number, bytes: Buffer): void {
    const all = [...this.pieces, { offset, bytes }].sort((a, b) => a.offset - b.offset)
    this.pieces = []
    for (const piece of all) {
      const last = this.pieces.at(-1)
      if (last && last.offset + last.bytes.length === piece.offset) last.bytes = Buffer.concat([last.bytes, piece.bytes])
      else this.pieces.push({ ...piece })
    }
  }

  private async fetch(start: number, end: number): Promise<Buffer> {
    this.fetched += end - start
    if (this.fetched > most_bytes)
      throw new AppError("bad_file", `${this.path}: its header has more than ${most_bytes} bytes, which are not read.`)
    const { address, authorization, network, signal } = this.options
    const headers = { range: `bytes=${start}-${end - 1}`, "accept-encoding": "identity" }
    const answer = await request(address, { headers, authorization, signal, headers_ms: answer_ms, network })
    const { response, host, abort } = answer
    if (response.status === 206) {
      const bytes = await readBytes(answer, end - start)
      if (bytes.length === end - start) return bytes
      throw new AppError("network", `${host} sent ${bytes.length} of ${end - start} bytes of ${this.path}.`, "Try again.")
    }
    abort()
    if (response.status === 200)
      throw new AppError("network", `${host} sends ${this.path} only as a whole, so its header cannot be read before it is downloaded.`)
    const refused = refusal(response, `${this.path} from ${host}`)
    throw refused instanceof TryAgain ? refused.error : refused
  }
}
