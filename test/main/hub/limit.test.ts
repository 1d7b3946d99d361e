import { expect, it } from "vitest"
import { createSpeedLimit, type LimitClock } from "../../../main/hub/limit.ts"

/** A clock that goes when it is told to. */
function fakeClock() {
  let now = 0
  let timers: { at: number; work: () => void }[] = []
  const clock: LimitClock = {
    now_ms: () => now,
    after(ms, work) {
      const timer = { at: now + ms, work }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
  }
  async function advance(ms: number): Promise<void> {
    const end = now + ms
    for (;;) {
      // Those who were let through ask for the next chunk before time goes on.
      await new Promise((resolve) => setImmediate(resolve))
      const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      timers = timers.filter((one) => one !== next)
      now = next.at
      next.work()
    }
    now = end
  }
  return { clock, advance, waiting: () => timers.length }
}

const never = new AbortController().signal

/** Takes chunks without end, and counts the bytes that were granted. */
function consume(limit: ReturnType<typeof createSpeedLimit>, chunk: number, signal = never) {
  const counted = { bytes: 0 }
  void (async () => {
    for (;;) {
      await limit.take(chunk, signal)
      counted.bytes += chunk
      if (counted.bytes > 1e9) return
    }
  })().catch(() => {})
  return counted
}

it("grants no more bytes than the speed allows, to all together", async () => {
  const { clock, advance } = fakeClock()
  const limit = createSpeedLimit(clock)
  limit.set(100_000)
  const counts = [consume(limit, 16_384), consume(limit, 1000), consume(limit, 65_536)]
  for (let second = 1; second <= 20; second++) {
    await advance(1000)
    const all = counts.reduce((sum, { bytes }) => sum + bytes, 0)
    // A chunk may overdraw the bucket, which holds a quarter of a second.
    expect(all).toBeLessThanOrEqual(100_000 * second + 25_000 + 65_536)
    expect(all).toBeGreaterThanOrEqual(100_000 * second - 65_536)
  }
  // In the order of asking: none is left out.
  expect(counts.map(({ bytes }) => bytes / 20 > 1000)).toEqual([true, true, true])
})

it("takes another speed at once, also for those who wait", async () => {
  const { clock, advance, waiting } = fakeClock()
  const limit = createSpeedLimit(clock)
  limit.set(10)
  const counted = consume(limit, 1000)
  await advance(1000)
  const slow = counted.bytes
  // The next chunk would come in a hundred seconds.
  limit.set(50_000)
  await advance(1000)
  expect(counted.bytes - slow).toBeGreaterThan(45_000)
  expect(counted.bytes - slow).toBeLessThan(65_000)
  limit.set(10)
  await advance(1000)
  expect(waiting()).toBe(1)
  let isThrough = false
  void limit.take(1e6, never).then(() => {
    isThrough = true
  })
  limit.set(0)
  await advance(0)
  expect([isThrough, waiting()]).toEqual([true, 0])
})

it("is left by who is cancelled, without taking from the others", async () => {
  const { clock, advance } = fakeClock()
  const limit = createSpeedLimit(clock)
  limit.set(1000)
  await advance(250)
  await limit.take(1000, never)
  const stop = new AbortController()
  const left = limit.take(1_000_000, stop.signal)
  const stays = limit.take(10, never)
  stop.abort()
  await expect(left).rejects.toMatchObject({ code: "cancelled" })
  await expect(limit.take(1, stop.signal)).rejects.toMatchObject({ code: "cancelled" })
  await advance(1000)
  await stays
})
