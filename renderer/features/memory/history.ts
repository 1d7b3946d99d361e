// The last minute: a sample for each measurement, outside the store. Drawn by whoever shows it.
import type { MemorySnapshot } from "../../../shared/schema/system.ts"
import { RingBuffer } from "../../lib/ring-buffer.ts"
import { divideMemory } from "./owners.ts"

export interface Sample {
  /** Milliseconds since 1970. */
  at: number
  nibbleBytes: number
  usedBytes: number
  /** 0 .. 1 */
  cpuBusy: number
}

export const shown_s = 60

/** Some more than a minute's, since measurements may come a little faster than once a second. */
const samples = new RingBuffer<Sample>(shown_s + 10)

export function sampleOf(memory: MemorySnapshot): Sample {
  const { nibbleBytes, usedBytes } = divideMemory(memory)
  return { at: memory.at, nibbleBytes, usedBytes, cpuBusy: memory.cpuBusy }
}

export function remember(memory: MemorySnapshot): void {
  samples.push(sampleOf(memory))
}

/** The last minute's before `now`, the oldest first. */
export function lastMinute(now: number): Sample[] {
  return samples.toArray().filter(({ at }) => at > now - shown_s * 1000)
}

/** For a chart: seconds before now, and values; a gap (nobody looked) is a null between two samples. */
export function series(list: Sample[], now: number, pick: (sample: Sample) => number): [number[], (number | null)[]] {
  const times: number[] = []
  const values: (number | null)[] = []
  for (const [index, sample] of list.entries()) {
    const before = list[index - 1]
    if (before && sample.at - before.at > 3500) {
      times.push((before.at + 1 - now) / 1000)
      values.push(null)
    }
    times.push((sample.at - now) / 1000)
    values.push(pick(sample))
  }
  return [times, values]
}

/** One of each so many seconds, the newest last: the minute as a table. */
export function everySeconds(list: Sample[], step_s: number): Sample[] {
  const newest = list.at(-1)
  if (!newest) return []
  const byStep = new Map<number, Sample>()
  for (const sample of list) byStep.set(Math.floor((newest.at - sample.at) / 1000 / step_s), sample)
  return [...byStep].sort(([a], [b]) => b - a).map(([, sample]) => sample)
}
