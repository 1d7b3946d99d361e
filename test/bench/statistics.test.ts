import { expect, test } from "vitest"
import { median, ratio, spread, summarize } from "../../bench/statistics.ts"

test("the median of odd and even numbers of values, in any order", () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 1, 3, 2])).toBe(2.5)
  expect(median([7])).toBe(7)
  expect(median([])).toBeNaN()
})

test("the spread is half the range, as a share of the median", () => {
  const summary = summarize([90, 100, 130])
  expect(summary).toEqual({ median: 100, min: 90, max: 130 })
  expect(spread(summary)).toBeCloseTo(0.2)
})

test("ratios are taken within a round: what slows both does not show", () => {
  expect(ratio([200, 20, 210], [100, 10, 100])).toBe(2)
  expect(() => ratio([1, 2], [1])).toThrow("2 values cannot be compared with 1 references.")
})
