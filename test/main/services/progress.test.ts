import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { createMeter, throttle } from "../../../main/services/progress.ts"

describe("a meter", () => {
  const at = { now: 0 }
  const meter = createMeter(() => at.now)
  const download = (now: number, done: number) => {
    at.now = now
    return meter({ phase: "download", done, total: 10_000, unit: "bytes", item: "a" })
  }

  it("knows no rate at first, then that of the last seconds", () => {
    // The wait for the first byte does not count.
    expect(download(-60_000, 0)).toMatchObject({ rate: 0, secondsLeft: null })
    expect(download(0, 100)).toMatchObject({ rate: 0, secondsLeft: null })
    expect(download(100, 150)).toMatchObject({ rate: 0, secondsLeft: null })
    expect(download(1000, 1100)).toMatchObject({ rate: 1000, secondsLeft: 8.9 })
    for (let s = 2; s <= 6; s++) download(s * 1000, 1000 + (s - 1) * 500)
    const later = download(7000, 4000)
    expect(later.rate).toBeCloseTo(500)
    expect(later.secondsLeft).toBeCloseTo(12)
  })

  it("begins anew with another phase, or when less is done than before", () => {
    at.now = 8000
    expect(meter({ phase: "extract", done: 5, total: 10, unit: "bytes" })).toMatchObject({ rate: 0, secondsLeft: null, item: "" })
    at.now = 9000
    meter({ phase: "extract", done: 9, total: 10, unit: "bytes" })
    at.now = 9100
    expect(meter({ phase: "extract", done: 1, total: 10, unit: "bytes" })).toMatchObject({ rate: 0 })
  })

  it("knows no time left where the total is unknown or nothing moves", () => {
    at.now = 20_000
    meter({ phase: "copy", done: 1, total: 0, unit: "bytes" })
    at.now = 21_000
    expect(meter({ phase: "copy", done: 101, total: 0, unit: "bytes" })).toMatchObject({ rate: 100, secondsLeft: null })
    at.now = 30_000
    expect(meter({ phase: "copy", done: 101, total: 0, unit: "bytes" })).toMatchObject({ secondsLeft: null })
  })
})

it("a throttle calls at once, then once per pause, and at the end what came last", async () => {
  const seen: number[] = []
  let value = 0
  const tell = throttle(() => seen.push(value), 60)
  for (value = 1; value <= 5; value++) tell.call()
  expect(seen).toEqual([1])
  await sleep(90)
  expect(seen).toEqual([1, 6])
  tell.call()
  tell.cancel()
  await sleep(90)
  expect(seen.length).toBeLessThanOrEqual(3)
})
