import { expect, test } from "vitest"
import { contextStops, nearestStop } from "../../../renderer/lib/context-stops.ts"

test("stops double up to the limit of the model", () => {
  expect(contextStops(3000)).toEqual([256, 512, 1024, 2048, 3000])
  expect(contextStops(128)).toEqual([128])
  expect(contextStops(0)).toEqual([1])
})

test("a length stops at the nearest, counted in doublings", () => {
  const stops = contextStops(8192)
  expect([8192, 256, 1, 700, 1_000_000].map((length) => nearestStop(length, stops))).toEqual([5, 0, 0, 1, 5])
})
