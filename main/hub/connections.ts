// How many connections all transfers together may hold. A free one goes to who is first in its order, and of these to who waits longest.
import { AppError } from "../../shared/schema/error.ts"

export interface Connections {
  /** `rank`: 0 comes first. Resolves with what gives it back (once; later calls do nothing). */
  take(rank: number, signal: AbortSignal): Promise<() => void>
}

interface Waiter {
  rank: number
  grant(): void
}

export function createConnections(count: number): Connections {
  let free = count
  const queue: Waiter[] = []

  function release(): () => void {
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      free++
      serve()
    }
  }

  function serve(): void {
    while (free > 0 && queue.length > 0) {
      const first = queue.reduce((best, waiter) => (waiter.rank < best.rank ? waiter : best))
      queue.splice(queue.indexOf(first), 1)
      free--
      first.grant()
    }
  }

  return {
    take(rank, signal) {
      if (signal.aborted) return Promise.reject(new AppError("cancelled", "cancelled"))
      return new Promise((resolve, reject) => {
        const leave = () => {
          queue.splice(queue.indexOf(waiter), 1)
          reject(new AppError("cancelled", "cancelled"))
        }
        const waiter: Waiter = {
          rank,
          grant() {
            signal.removeEventListener("abort", leave)
            resolve(release())
          },
        }
        signal.addEventListener("abort", leave, { once: true })
        queue.push(waiter)
        serve()
      })
    },
  }
}
