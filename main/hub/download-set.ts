// Brings a list of files into one folder: several at once, begun in the order given so that the parts of a model become whole one after
// the other, each verified by its hash. A manifest in the folder says what is verified, so that a restart goes on and half a set is never
// taken for a whole one.
import type { AdditionFile } from "../../shared/schema/addition.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { ExpectedDigest } from "./digest.ts"
import type { Network } from "./network.ts"
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

export interface SetProgress {
  /** "verify" when nothing is fetched any more and hashes are still computed. */
  phase: "download" | "verify"
  /** Of all files; what is verified, cached or used counts as done. Goes back only where a file is fetched again. */
  bytesDone: number
  bytesTotal: number
  /** Files that are being worked on, the first of the order first: "a.safetensors" or "a.safetensors, b.safetensors". */
  item: string
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

/**
 * Resolves when every file is verified, cached or used, with those that are still here, in the order of the list. When one file fails for
 * good, the others are paused and the promise is rejected with its error.
 */
export async function downloadSet(request: DownloadSetRequest): Promise<VerifiedFile[]> {
  throw new AppError("unsupported", `Downloads of ${request.repository} as a set: This is being built.`)
}
