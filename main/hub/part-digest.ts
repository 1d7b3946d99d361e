// The hash of a file that arrives in pieces. It goes along with what is here without a gap from the beginning: pieces that come in order
// are hashed as they come, what came ahead is read back when the gap before it is closed. So little is left to do at the end.
import type { FileHandle } from "node:fs/promises"
import { AppError } from "../../shared/schema/error.ts"
import type { RunningDigest } from "./digest.ts"

export interface PartDigest {
  /** A piece was written, and the file is here without a gap up to `prefix`. */
  follow(piece: { from: number; chunk: Uint8Array } | null, prefix: number): void
  /** Hashes up to `bytes`, where the file ends, and gives the hash. */
  finish(bytes: number, signal: AbortSignal, onHashed: (bytes: number) => void): Promise<string>
  /** From the beginning. */
  reset(): void
  /** Resolves when the file is not read any more. */
  rest(): Promise<void>
}

const read_bytes = 1 << 20

export function createPartDigest(file: FileHandle, start: () => RunningDigest): PartDigest {
  let digest = start()
  let hashed = 0
  let target = 0
  let run = 0
  let reading: Promise<void> | null = null
  let failure: unknown = null
  let isFinishing = false
  const buffer = Buffer.allocUnsafe(read_bytes)

  /** Ends at the target, or when another run begins. */
  async function readOn(mine: number, onHashed?: (bytes: number) => void): Promise<void> {
    while (mine === run && hashed < target) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(read_bytes, target - hashed), hashed)
      if (mine !== run) return
      if (bytesRead === 0) throw new AppError("bad_file", `The file ends at byte ${hashed} of ${target}: something else shortened it.`)
      digest.update(buffer.subarray(0, bytesRead))
      hashed += bytesRead
      onHashed?.(hashed)
    }
  }

  function readBehind(): void {
    if (isFinishing || reading !== null || hashed >= target || failure !== null) return
    reading = readOn(run)
      .catch((thrown) => {
        failure = thrown
      })
      .finally(() => {
        reading = null
        readBehind()
      })
  }

  async function rest(): Promise<void> {
    while (reading !== null) await reading
  }

  return {
    follow(piece, prefix) {
      if (piece && reading === null && piece.from === hashed) {
        digest.update(piece.chunk)
        hashed += piece.chunk.length
      }
      target = Math.max(target, prefix)
      readBehind()
    },
    async finish(bytes, signal, onHashed) {
      // Taken over from what reads behind, so that it can be watched and called off.
      isFinishing = true
      run++
      await rest()
      if (failure !== null) throw failure
      target = bytes
      await readOn(run, (done) => {
        if (signal.aborted) throw new AppError("cancelled", "cancelled")
        onHashed(done)
      })
      return digest.hex()
    },
    reset() {
      run++
      digest = start()
      hashed = 0
      target = 0
      failure = null
      isFinishing = false
    },
    rest,
  }
}
