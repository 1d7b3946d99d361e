import { expect, test } from "vitest"
import { alibiSlopes, mptSlopes } from "../../../../main/models/architectures/alibi.ts"

const powers = (slopes: Float32Array) => [...slopes].map((slope) => -Math.log2(slope))

test("eight heads have the slopes 1/2 to 1/256 that the paper gives", () => {
  expect(powers(alibiSlopes(8))).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(powers(mptSlopes(8, 8))).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test("other numbers of heads borrow from the next power of two", () => {
  expect(powers(alibiSlopes(6))).toEqual([2, 4, 6, 8, 1, 3])
  expect(powers(mptSlopes(6, 8))).toEqual([2, 4, 6, 8, 1, 3])
  expect(powers(alibiSlopes(5))).toEqual([2, 4, 6, 8, 1])
  expect(powers(mptSlopes(5, 8))).toEqual([2, 4, 6, 8, 1])
})

test("MPT's largest bias is a setting", () => {
  expect(powers(mptSlopes(4, 16))).toEqual([4, 8, 12, 16])
})
