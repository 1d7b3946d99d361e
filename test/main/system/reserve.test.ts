import { expect, it } from "vitest"
import { reserveOf } from "../../../main/system/reserve.ts"

const gibibyte = 2 ** 30

it("keeps a twentieth, half a gibibyte at least, a quarter at most", () => {
  expect(reserveOf(32 * gibibyte)).toBe(Math.round(1.6 * gibibyte))
  expect(reserveOf(4 * gibibyte)).toBe(gibibyte / 2)
  expect(reserveOf(gibibyte)).toBe(gibibyte / 4)
  expect(reserveOf(0)).toBe(0)
})
