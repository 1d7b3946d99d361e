import { expect, it } from "vitest"
import { spreadOf } from "../../../main/cli/bench.ts"
import { columns, duration, parameters, rate } from "../../../main/cli/quantities.ts"
import { bytes } from "../../../main/sizes.ts"

it("writes numbers for people", () => {
  expect([0, 1023, 1024, 98_362_432, 1.5e12].map(bytes)).toEqual(["0 bytes", "1023 bytes", "1.0 KiB", "93.8 MiB", "1.4 TiB"])
  expect([320, 115_008, 134_515_008, 7_241_732_096, 70.6e9].map(parameters)).toEqual(["320", "115,008", "135 M", "7.2 B", "71 B"])
  expect([3.06, 99.96, 1427.4].map(rate)).toEqual(["3.1", "100.0", "1,427"])
  expect([0.0671, 12.34, 75, 7322].map(duration)).toEqual(["67 ms", "12.3 s", "1 min 15 s", "2 h 2 min"])
})

it("aligns columns", () => {
  expect(
    columns(
      [
        ["a", "bb", "c"],
        ["aaa", "b", ""],
      ],
      [1],
    ),
  ).toBe("a    bb  c\naaa   b")
})

it("takes the median, of even counts too, and does not sort in place", () => {
  const values = [3, 1, 10, 2]
  expect(spreadOf(values)).toEqual({ min: 1, median: 2.5, max: 10 })
  expect(spreadOf([5])).toEqual({ min: 5, median: 5, max: 5 })
  expect(values).toEqual([3, 1, 10, 2])
})
