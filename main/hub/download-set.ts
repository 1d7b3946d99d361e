// Brings a list of files into one folder: several at once, begun in the order given so that the parts of a model become whole one after
// the other, each verified by its hash. A manifest in the folder says what is verified, so that a restart goes on and half a set is never
// taken for a whole one.
import { stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import type { AdditionFile } from "../../shared/schema/addition.ts"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import type { ExpectedDigest } from "./digest.ts"
import { beginManifest, changeFiles, isUnchanged, type ManifestFile, removeFile } from "./download-manifest.ts"
import { requireFileNames } from "./download-name.ts"
import { createSetReport, type SetEntry, type SetProgress } from "./download-report.ts"
import type { Network } from "./network.ts"
import { begunBytes, isFileRight } from "./part.ts"
import { transfer } from "./transfer.ts"
import type { Pace } from "./transfer-retry.ts"

export interface SetFile {
  /** A plain file name; folders, and names that some system does not take, are refused. */
  name: string
  bytes: number
  digest: ExpectedDigest
  /** https:, http: or file: */
  address: string
  /** The same file elsewhere on this computer: if its hash is right it is used there, and neither fetched nor copied. */
  cachedPath?: string
}

/** A file that is here and has the right hash. */
export interface VerifiedFile extends SetFile {
  /** In the folder, or `cachedPath`. */
  path: string
  isCached: boolean
}

export interface DownloadSetRequest {
  /** Made where it is missing. One set at a time may work in it. */
  folder: string
  /** "org/name" and the commit: only for the manifest. */
  repository: string
  revision: string
  files: SetFile[]
  /** Value of the Authorization header; goes to the origin of each file's address only. */
  authorization?: string | null
  network: Network
  /** Pauses it: what has arrived is kept, and the next call goes on there. The promise is rejected with "cancelled". */
  signal: AbortSignal
  /** Default 4. Connections are bounded besides, by the network, for all sets together; the first files of the order get them first. */
  filesAtOnce?: number
  pace?: Partial<Pace>
  /** Asked before each file begins, in the order of the list; the next ones wait until it resolves. For room on the disk. */
  admit?(file: SetFile, signal: AbortSignal): Promise<void>
  /** Every change of state, and while a file arrives its bytes, at most about ten times a second. Also once for each file at the start. */
  onFile?(file: AdditionFile): void
  onProgress?(progress: SetProgress): void
  /** When a file is verified (or was before: then at the start), in the order in which that happens. What it throws ends the set. */
  onVerified?(file: VerifiedFile): void
}

const usualFilesAtOnce = 4
/** Nobody waits at the screen for an answer at once, so hubs that are busy for a while are waited for. */
const patience: Partial<Pace> = { headers_ms: 30_000, attempts: 8, longestPause_ms: 60 * 60 * 1000 }

/** Folders that a set works in. */
const busy = new Set<string>()

/**
 * Resolves when every file is verified, cached or used, with those that are still here, in the order of the list. When one file fails for
 * good, the others are paused and the promise is rejected with its error.
 */
export async function downloadSet(request: DownloadSetRequest): Promise<VerifiedFile[]> {
  requireFileNames(request.files.map(({ name }) => name))
  const key = resolve(request.folder)
  if (busy.has(key)) throw new AppError("busy", `Files of ${request.repository} are being downloaded to ${request.folder} already.`)
  busy.add(key)
  try {
    return await new DownloadSet(request).run()
  } finally {
    busy.delete(key)
  }
}

class DownloadSet {
  private readonly request: DownloadSetRequest
  private readonly entries: SetEntry<SetFile>[]
  private readonly report: ReturnType<typeof createSetReport>
  private readonly verified = new Map<string, VerifiedFile>()
  private readonly stop = new AbortController()
  private readonly signal: AbortSignal
  /** What is asked for admission, one after the other. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(request: DownloadSetRequest) {
    this.request = request
    this.signal = AbortSignal.any([request.signal, this.stop.signal])
    this.report = createSetReport(request)
    this.entries = request.files.map((file) => this.report.add(file))
  }

  async run(): Promise<VerifiedFile[]> {
    const { folder, repository, revision, files, filesAtOnce = usualFilesAtOnce, signal } = this.request
    if (signal.aborted) throw new AppError("cancelled", "cancelled")
    const missing = (file: SetFile): ManifestFile => ({ name: file.name, bytes: file.bytes, digest: file.digest, state: "missing" })
    const manifest = await beginManifest(folder, { repository, revision, files: files.map(missing) })
    const known = new Map(manifest.files.map((file) => [file.name, file]))
    const waiting: SetEntry<SetFile>[] = []
    for (const entry of this.entries) if (!(await this.isDone(entry, known.get(entry.source.name)))) waiting.push(entry)
    await this.bringAll(waiting, Math.max(1, filesAtOnce)).finally(this.report.close)
    return this.entries.flatMap(({ source }) => this.verified.get(source.name) ?? [])
  }

  /** Tells what a set before has left of the file. */
  private async isDone(entry: SetEntry<SetFile>, known: ManifestFile | undefined): Promise<boolean> {
    const { source } = entry
    const { folder } = this.request
    if (known?.state === "used") {
      // The program may have ended before the file was deleted.
      await removeFile(folder, source.name)
      entry.set({ state: "used", done: source.bytes })
      return true
    }
    const isMeant = known && (known.state !== "cached" || known.cachedPath === source.cachedPath)
    if (isMeant && (await isUnchanged(folder, known))) {
      this.done(entry, known.state === "cached" ? source.cachedPath : undefined)
      return true
    }
    entry.set({ state: "waiting", done: await begunBytes({ ...source, path: join(folder, source.name) }) })
    return false
  }

  private async bringAll(waiting: SetEntry<SetFile>[], atOnce: number): Promise<void> {
    const failures: unknown[] = []
    const lane = async () => {
      for (let entry = await this.next(waiting); entry; entry = await this.next(waiting)) await this.bring(entry)
    }
    const guarded = () =>
      lane().catch((thrown) => {
        failures.push(thrown)
        this.stop.abort()
      })
    await Promise.all(Array.from({ length: atOnce }, guarded))
    // The others were paused because of the first.
    if (failures.length > 0) throw failures[0]
  }

  private next(waiting: SetEntry<SetFile>[]): Promise<SetEntry<SetFile> | undefined> {
    const turn = this.turn.then(async () => {
      if (this.signal.aborted) throw new AppError("cancelled", "cancelled")
      const entry = waiting.shift()
      if (entry) await this.request.admit?.(entry.source, this.signal)
      return entry
    })
    this.turn = turn
    return turn
  }

  private async bring(entry: SetEntry<SetFile>): Promise<void> {
    const { source } = entry
    try {
      if (source.cachedPath !== undefined && (await this.isCachedRight(entry, source.cachedPath))) {
        await this.remember(source, { state: "cached", cachedPath: source.cachedPath }, source.cachedPath)
        this.done(entry, source.cachedPath)
        return
      }
      await this.fetch(entry)
      await this.remember(source, { state: "verified" }, join(this.request.folder, source.name))
    } catch (thrown) {
      const error = toErrorData(thrown)
      const isPaused = this.signal.aborted && error.code === "cancelled"
      entry.set(isPaused ? { state: "waiting", retryAt: null } : { state: "failed", error, retryAt: null })
      throw thrown
    }
    this.done(entry)
  }

  private async isCachedRight(entry: SetEntry<SetFile>, path: string): Promise<boolean> {
    entry.set({ state: "verifying" })
    const { bytes, digest } = entry.source
    const isRight = await isFileRight({ path, bytes, digest }, this.signal, (done) => entry.verifying(done))
    if (!isRight) entry.set({ state: "waiting", done: 0 })
    return isRight
  }

  private async fetch(entry: SetEntry<SetFile>): Promise<void> {
    const { folder, network, authorization = null, pace } = this.request
    const { name, bytes, digest, address } = entry.source
    await transfer({
      ...{ address, path: join(folder, name), bytes, digest, authorization, network },
      rank: this.entries.indexOf(entry),
      signal: this.signal,
      pace: { ...patience, ...pace },
      onRequest: () => entry.running(),
      onProgress: (phase, done) => (phase === "verify" ? entry.verifying(done) : entry.arrived(done)),
      onTrouble: (trouble) => entry.retrying(trouble),
    })
  }

  private async remember({ name }: SetFile, change: Pick<ManifestFile, "state" | "cachedPath">, path: string): Promise<void> {
    const { mtimeMs } = await stat(path)
    await changeFiles(this.request.folder, (file) => (file.name === name ? { ...file, ...change, modified_ms: mtimeMs } : file))
  }

  private done(entry: SetEntry<SetFile>, cachedPath?: string): void {
    const { source } = entry
    const isCached = cachedPath !== undefined
    const file = { ...source, path: cachedPath ?? join(this.request.folder, source.name), isCached }
    this.verified.set(source.name, file)
    entry.set({ state: isCached ? "cached" : "verified", done: source.bytes, error: null, retryAt: null })
    this.request.onVerified?.(file)
  }
}
