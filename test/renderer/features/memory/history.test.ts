import { expect, test } from "vitest"
import { everySeconds, lastMinute, remember, type Sample, sampleOf, series } from "../../../../renderer/features/memory/history.ts"
import { measured } from "./records.ts"

const sample = (at: number, nibbleBytes = at): Sample => ({ at, nibbleBytes, usedBytes: 0, cpuBusy: 0 })

test("a measurement becomes a sample of the whole", () => {
  expect(sampleOf(measured({ at: 5, engineBytes: 200, programBytes: 100, availableBytes: 4000, cpuBusy: 0.25 }))).toEqual({
    at: 5,
    nibbleBytes: 300,
    usedBytes: 6000,
    cpuBusy: 0.25,
  })
})

test("only the last minute is given, the oldest first, however long it was watched", () => {
  for (let second = 1; second <= 200; second++) remember(measured({ at: second * 1000 }))
  const times = lastMinute(200_000).map(({ at }) => at / 1000)
  expect(times).toHaveLength(60)
  expect([times[0], times.at(-1)]).toEqual([141, 200])
  expect(lastMinute(400_000)).toEqual([])
})

test("while nobody looked there is a gap, not a line", () => {
  const list = [sample(1000), sample(2000), sample(9000), sample(10_000)]
  const [times, values] = series(list, 10_000, ({ nibbleBytes }) => nibbleBytes)
  expect(values).toEqual([1000, 2000, null, 9000, 10_000])
  expect(times).toEqual([-9, -8, -7.999, -1, 0])
})

test("the minute as a table has one row for each step, the newest last", () => {
  const list = Array.from({ length: 31 }, (_, second) => sample(second * 1000))
  expect(everySeconds(list, 10).map(({ at }) => at / 1000)).toEqual([0, 10, 20, 30])
  expect(everySeconds([], 10)).toEqual([])
})
