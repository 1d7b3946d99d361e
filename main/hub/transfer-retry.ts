// When a transfer is tried again, and when it is given up. All connections of one file share this: what makes one fail makes the others
// fail, too, and that counts as one failure.
import { setTimeout as sleep } from "node:timers/promises"
import type { AppError } from "../../shared/schema/error.ts"
import type { TryAgain } from "./refusal.ts"

export interface Pace {
  headers_ms: number
  /** Without a byte for so long, the connection is given up. */
  stall_ms: number
  /** Failures in a row, without much progress between them. */
  attempts: number
  /** Pause after the first failure; doubled each time, and changed by up to a quarter by chance. */
  backOff_ms: number
  /** The pause does not become longer of itself. */
  longestBackOff_ms: number
  /** A server that asks for a longer pause is given up. */
  longestPause_ms: number
  /** Larger files (from twice that on) are fetched in ranges of this length, several at once. */
  range_bytes: number
  /** Of one file. */
  connections: number
  /** Between two savings of what has arrived. */
  save_ms: number
}

export const usualPace: Pace = {
  headers_ms: 15_000,
  stall_ms: 30_000,
  attempts: 5,
  backOff_ms: 500,
  longestBackOff_ms: 30_000,
  longestPause_ms: 60_000,
  range_bytes: 64 << 20,
  connections: 4,
  save_ms: 1000,
}

/** Tries begun of one file, over all its connections and fresh starts. */
export interface Tries {
  count: number
}

export interface Trouble {
  error: AppError
  /** Milliseconds since 1970: the next try begins then. */
  retryAt: number
  /** Which try that will be; the first was 1. */
  attempt: number
}

export interface Retry {
  /** Resolves when requests may be made. */
  wait(signal: AbortSignal): Promise<void>
  /** A request that was made at `begunAt` (performance.now()) failed when `doneBytes` were here. Throws where it is not tried again. */
  failed(failure: TryAgain, begunAt: number, doneBytes: number): void
}

/** So much progress makes earlier failures forgotten. */
const progress_bytes = 1 << 20

export function createRetry(pace: Pace, tries: Tries, doneBytes: number, onTrouble: (trouble: Trouble) => void): Retry {
  let inRow = 0
  let doneBefore = doneBytes
  let failedAt = Number.NEGATIVE_INFINITY
  let opensAt = 0

  return {
    async wait(signal) {
      for (let left = opensAt - Date.now(); left > 0; left = opensAt - Date.now()) await sleep(left, undefined, { signal })
    },
    failed({ error, pause_ms }, begunAt, done) {
      const isAnother = begunAt > failedAt
      if (isAnother) {
        if (done - doneBefore >= progress_bytes) inRow = 0
        doneBefore = done
        failedAt = performance.now()
        inRow++
        tries.count++
      }
      const pause = pause_ms ?? backOff(pace, inRow, Math.random())
      if (inRow >= pace.attempts || pause > pace.longestPause_ms) throw error
      const until = Date.now() + pause
      // What fails together waits for the one that has to wait longest.
      if (!isAnother && (pause_ms === null || until <= opensAt)) return
      opensAt = Math.max(opensAt, until)
      onTrouble({ error, retryAt: opensAt, attempt: tries.count })
    },
  }
}

/** Milliseconds to wait after so many failures in a row. `chance`: from 0 to 1, so that many clients do not come back at once. */
export function backOff({ backOff_ms, longestBackOff_ms }: Pace, failures: number, chance: number): number {
  return Math.min(longestBackOff_ms, backOff_ms * 2 ** (failures - 1)) * (0.75 + chance / 2)
}
