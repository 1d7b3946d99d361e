// Work that is done one after the other, in the order of asking; who is cancelled leaves the line.
import { AppError } from "../../shared/schema/error.ts"

/** `onWait` is called when others come first. */
export type TakeTurn = <T>(signal: AbortSignal, onWait: () => void, work: () => Promise<T>) => Promise<T>

export function createTurns(): TakeTurn {
  let last: Promise<void> = Promise.resolve()
  let inLine = 0
  return async (signal, onWait, work) => {
    const before = last
    const { promise, resolve } = Promise.withResolvers<void>()
    last = before.then(() => promise)
    if (inLine++ > 0) onWait()
    try {
      await Promise.race([before, aborted(signal)])
      if (signal.aborted) throw new AppError("cancelled", "cancelled")
      return await work()
    } finally {
      inLine--
      resolve()
    }
  }
}

/** Resolves when `signal` asks for an end. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}
