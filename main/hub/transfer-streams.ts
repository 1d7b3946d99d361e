// Brings the bytes of one file that are missing: by one connection, or where the server gives ranges and the file is large, by several.
import { basename } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import type { Network } from "./network.ts"
import type { Part } from "./part.ts"
import type { Span } from "./ranges.ts"
import { refusal, TryAgain } from "./refusal.ts"
import { type Answer, networkError, request } from "./request.ts"
import { createRetry, type Pace, type Retry, type Tries, type Trouble } from "./transfer-retry.ts"

export interface StreamsRequest {
  address: string
  path: string
  bytes: number
  authorization: string | null
  network: Network
  /** Whose connections come first: see Connections. */
  rank: number
  signal: AbortSignal
  pace: Pace
  tries: Tries
  /** A connection is free, and a request is made. */
  onRequest(): void
  onBytes(): void
  onTrouble(trouble: Trouble): void
}

/** What is here does not belong to what the server has now. */
class StartOver extends Error {
  readonly error: AppError

  constructor(error: AppError) {
    super(error.message)
    this.error = error
  }
}

/** A server whose answers do not fit together is given up after so many fresh starts. */
const maxStarts = 4

export async function fetchStreams(wish: StreamsRequest, part: Part): Promise<void> {
  const retry = createRetry(wish.pace, wish.tries, part.ranges.doneBytes(), wish.onTrouble)
  for (let starts = 1; ; starts++) {
    try {
      // What does not fit together by ranges may do so in one piece.
      await new Streams(wish, part, retry, starts < 3).run()
      return
    } catch (thrown) {
      if (!(thrown instanceof StartOver)) throw thrown
      if (starts === maxStarts) throw thrown.error
      await part.startOver()
      wish.onBytes()
    }
  }
}

class Streams {
  private readonly wish: StreamsRequest
  private readonly part: Part
  private readonly retry: Retry
  private readonly name: string
  private readonly stop = new AbortController()
  private readonly signal: AbortSignal
  private readonly running = new Set<Promise<void>>()
  private failure: { thrown: unknown } | null = null
  /** By ranges; one answer without a range shows that the server has none. */
  private isSplit: boolean

  constructor(wish: StreamsRequest, part: Part, retry: Retry, mayBeSplit: boolean) {
    this.wish = wish
    this.part = part
    this.retry = retry
    this.name = basename(wish.path)
    this.signal = AbortSignal.any([wish.signal, this.stop.signal])
    this.isSplit = mayBeSplit && wish.bytes >= 2 * wish.pace.range_bytes
  }

  async run(): Promise<void> {
    this.start()
    while (this.running.size > 0) await Promise.all(this.running)
    if (this.failure) throw this.failure.thrown
  }

  private start(): void {
    const worker = this.work()
      .catch((thrown) => {
        this.failure ??= { thrown }
        this.stop.abort()
      })
      .finally(() => this.running.delete(worker))
    this.running.add(worker)
  }

  /** One connection after the other, until nothing is left to be begun. */
  private async work(): Promise<void> {
    const { part, retry, signal, wish } = this
    for (;;) {
      await retry.wait(signal)
      const claim = part.ranges.claim(this.isSplit ? wish.pace.range_bytes : Number.POSITIVE_INFINITY)
      if (claim === null) return
      const release = await wish.network.connections.take(wish.rank, signal)
      const begunAt = performance.now()
      try {
        wish.onRequest()
        await this.fetchSpan(claim)
      } catch (thrown) {
        if (!(thrown instanceof TryAgain)) throw thrown
        retry.failed(thrown, begunAt, part.ranges.doneBytes())
      } finally {
        part.ranges.release(claim)
        release()
      }
    }
  }

  private async fetchSpan(claim: Span): Promise<void> {
    const { wish, part, signal } = this
    const isOpen = claim.to === wish.bytes
    const range = `bytes=${claim.from}-${isOpen ? "" : claim.to - 1}`
    const isWhole = claim.from === 0 && isOpen
    // A weak tag does not say that the bytes are the same, so it cannot guard a range; the hash does in the end.
    const guard = part.ranges.doneBytes() > 0 && part.etag !== null && !part.etag.startsWith("W/") ? part.etag : null
    const headers: Record<string, string> = {
      // Compressed in transfer, ranges and lengths would be those of other bytes.
      "accept-encoding": "identity",
      ...(isWhole ? {} : { range }),
      ...(!isWhole && guard !== null ? { "if-range": guard } : {}),
    }
    const { authorization, network, pace } = wish
    const answer = await request(wish.address, { headers, authorization, signal, network, headers_ms: pace.headers_ms }).catch((thrown) => {
      throw thrown instanceof AppError && thrown.code === "network" ? new TryAgain(thrown) : thrown
    })
    try {
      await this.accept(answer, claim)
      await this.read(answer, claim)
    } finally {
      answer.abort()
    }
  }

  /** Checks the status and the range of the answer, and makes the part ready for its body. */
  private async accept({ response, host }: Answer, claim: Span): Promise<void> {
    const { wish, part, name } = this
    const { status, headers } = response
    const etag = headers.get("etag")
    if (status === 416) throw new StartOver(new AppError("network", `${host} has no bytes of ${name} from ${claim.from} on.`))
    if (status !== 200 && status !== 206) throw refusal(response, `${name} from ${host}`)
    if (status === 206) {
      const [, from, total] = headers.get("content-range")?.match(/^bytes (\d+)-\d+\/(\d+|\*)$/) ?? []
      if (Number(from) !== claim.from || (total !== "*" && Number(total) !== wish.bytes))
        throw new StartOver(new AppError("network", `${host} sent another range of ${name} than was asked for.`))
      if (part.etag !== null && etag !== null && etag !== part.etag)
        throw new StartOver(new AppError("network", `${name} changes on ${host} while it is fetched.`))
    } else {
      const length = headers.get("content-length")
      if (length !== null && Number(length) !== wish.bytes) {
        throw new AppError(
          "network",
          `${host} offers ${length} bytes as ${name}, which has ${wish.bytes}.`,
          "A proxy or a sign-in page may be in between.",
        )
      }
      if (this.running.size > 1) throw new StartOver(new AppError("network", `${host} stopped to send ranges of ${name}.`))
      await this.takeWhole(claim)
    }
    // Of another answer before: the first of a part says what it is part of.
    if (part.etag === null || status === 200) {
      part.etag = etag
      await part.save()
    }
    if (this.isSplit) while (this.running.size < wish.pace.connections) this.start()
  }

  /** The answer is the whole file, whatever was asked for. */
  private async takeWhole(claim: Span): Promise<void> {
    this.isSplit = false
    const { part, wish } = this
    if (part.ranges.doneBytes() > 0) {
      await part.startOver()
      wish.onBytes()
    }
    Object.assign(claim, { from: 0, to: wish.bytes })
  }

  private async read(answer: Answer, claim: Span): Promise<void> {
    const { stall_ms } = this.wish.pace
    const stalled = new AppError("network", `${answer.host} sent nothing of ${this.name} for ${stall_ms / 1000} s.`)
    const chunks = answer.response.body?.getReader()
    let timer = setTimeout(() => answer.abort(stalled), stall_ms)
    try {
      while (chunks) {
        const { done, value } = await chunks.read().catch((thrown) => {
          const error = networkError(thrown, answer.host)
          throw error.code === "network" ? new TryAgain(error) : error
        })
        clearTimeout(timer)
        if (done) break
        await this.take(claim, value, answer.host)
        // What follows a range is of no use; what follows the file shows that it is another one.
        if (claim.from === claim.to && claim.to < this.wish.bytes) return
        timer = setTimeout(() => answer.abort(stalled), stall_ms)
      }
    } finally {
      clearTimeout(timer)
    }
    if (claim.from === claim.to) return
    const bytes = this.wish.bytes
    throw new TryAgain(
      new AppError("network", `${answer.host} ended ${this.name} at byte ${claim.from} of ${claim.to}; the file has ${bytes}.`),
    )
  }

  private async take(claim: Span, chunk: Uint8Array, host: string): Promise<void> {
    const { wish, part, signal } = this
    if (signal.aborted) throw new AppError("cancelled", "cancelled")
    const room = claim.to - claim.from
    if (chunk.length > room && claim.to === wish.bytes)
      throw new AppError("bad_file", `${host} sent more than the ${wish.bytes} bytes that ${this.name} has.`)
    const piece = chunk.length > room ? chunk.subarray(0, room) : chunk
    await part.write(piece, claim.from)
    claim.from += piece.length
    wish.onBytes()
    await wish.network.limit.take(chunk.length, signal)
  }
}
