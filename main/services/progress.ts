// How fast work goes and how long it will take, from what was done in the last seconds.
import type { JobProgress } from "../../shared/schema/job.ts"

/** How far the work at hand is. Totals, so that one report may be lost. */
export interface Step {
  phase: JobProgress["phase"]
  done: number
  /** 0 = unknown. */
  total: number
  unit: JobProgress["unit"]
  item?: string
}

/** Long enough to smooth bursts, short enough to follow a change of the network. */
const window_ms = 4000
/** Before that, a rate would be a guess. */
const shortest_ms = 1000

export function createMeter(now: () => number = () => performance.now()): (step: Step) => JobProgress {
  let samples: { at: number; done: number }[] = []
  let last = ""
  return ({ phase, done, total, unit, item = "" }) => {
    const kind = `${phase} ${unit}`
    const at = now()
    const previous = samples.at(-1)
    // Another kind of work, or the same one begun again.
    if (kind !== last || (previous && done < previous.done)) samples = []
    last = kind
    // What passes before the first part is waiting (for an answer, for a connection), and says nothing about the rate.
    if (done > 0) samples.push({ at, done })
    // One sample from before the window stays, so that the window is always covered.
    while (samples[1] && at - samples[1].at >= window_ms) samples.shift()
    const first = samples[0] ?? { at, done }
    const elapsed_ms = at - first.at
    const rate = elapsed_ms >= shortest_ms ? Math.max(0, ((done - first.done) / elapsed_ms) * 1000) : 0
    const secondsLeft = rate > 0 && total > 0 ? Math.max(0, (total - done) / rate) : null
    return { phase, done, total, unit, rate, secondsLeft, item }
  }
}

/** Calls `work` at most once per `pause_ms`, and once more at the end if something came meanwhile. */
export function throttle(work: () => void, pause_ms: number): { call(): void; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | null = null
  let last = Number.NEGATIVE_INFINITY
  const run = () => {
    timer = null
    last = performance.now()
    work()
  }
  return {
    call() {
      if (timer) return
      const wait_ms = last + pause_ms - performance.now()
      if (wait_ms <= 0) run()
      else timer = setTimeout(run, wait_ms)
    },
    cancel() {
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}
