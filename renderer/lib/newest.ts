// Questions whose answer is outdated as soon as a control moves on.

/**
 * Runs `work` for the state at hand, one run at a time. Asked meanwhile, it runs once more for the newest state; what lies between is never
 * asked. `rest` runs when nothing has changed during a run; what it finds does not count when `isOutdated()` says so.
 */
export function forNewest(work: () => Promise<void>, rest: (isOutdated: () => boolean) => Promise<void>): () => void {
  let isRunning = false
  let isOutdated = false

  async function untilCurrent(): Promise<void> {
    do {
      do {
        isOutdated = false
        await work()
      } while (isOutdated)
      await rest(() => isOutdated)
    } while (isOutdated)
  }

  return () => {
    if (isRunning) {
      isOutdated = true
      return
    }
    isRunning = true
    void untilCurrent().finally(() => {
      isRunning = false
    })
  }
}
