// A speed limit that all transfers share: a bucket of bytes that fills at the allowed speed. A chunk may overdraw it, and who comes next
// waits until the debt is paid; so a chunk of any size passes, in the order of asking.
import { AppError } from "../../shared/schema/error.ts"

export interface SpeedLimit {
  /** Bytes per second of all together; 0 = none. Counts at once, also for those who wait. */
  set(bytesPerSecond: number): void
  /** Resolves when so many bytes may pass. */
  take(bytes: number, signal: AbortSignal): Promise<void>
}

export interface LimitClock {
  now_ms(): number
  /** Returns what calls it off. */
  after(ms: number, work: () => void): () => void
}

/** So much may pass at once after a pause. */
const burst_s = 0.25

interface Waiter {
  bytes: number
  grant(): void
}

export function createSpeedLimit(clock: LimitClock = realClock): SpeedLimit {
  let rate = 0
  let level = 0
  let levelAt_ms = clock.now_ms()
  let cancelTimer: (() => void) | null = null
  const queue: Waiter[] = []

  function fill(): void {
    const now_ms = clock.now_ms()
    level = Math.min(rate * burst_s, level + (rate * (now_ms - levelAt_ms)) / 1000)
    levelAt_ms = now_ms
  }

  function serve(): void {
    cancelTimer?.()
    cancelTimer = null
    fill()
    while (queue.length > 0 && (rate === 0 || level > 0)) {
      const waiter = queue.shift() as Waiter
      if (rate > 0) level -= waiter.bytes
      waiter.grant()
    }
    if (queue.length > 0) cancelTimer = clock.after(Math.max(1, (-level / rate) * 1000), serve)
  }

  return {
    set(bytesPerSecond) {
      fill()
      // Neither a debt nor savings of another speed.
      level = 0
      rate = bytesPerSecond
      serve()
    },
    take(bytes, signal) {
      if (signal.aborted) return Promise.reject(new AppError("cancelled", "cancelled"))
      if (rate === 0 && queue.length === 0) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const leave = () => {
          queue.splice(queue.indexOf(waiter), 1)
          reject(new AppError("cancelled", "cancelled"))
        }
        const waiter: Waiter = {
          bytes,
          grant() {
            signal.removeEventListener("abort", leave)
            resolve()
          },
        }
        signal.addEventListener("abort", leave, { once: true })
        queue.push(waiter)
        if (queue.length === 1) serve()
      })
    },
  }
}

const realClock: LimitClock = {
  now_ms: () => performance.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  },
}
