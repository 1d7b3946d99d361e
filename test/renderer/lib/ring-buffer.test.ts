import { expect, test } from "vitest"
import { RingBuffer } from "../../../renderer/lib/ring-buffer.ts"

test("keeps the newest, the oldest first", () => {
  const ring = new RingBuffer<number>(3)
  expect(ring.toArray()).toEqual([])
  ring.push(1)
  ring.push(2)
  expect(ring.toArray()).toEqual([1, 2])
  for (const value of [3, 4, 5]) ring.push(value)
  expect(ring.toArray()).toEqual([3, 4, 5])
  ring.push(6)
  expect(ring.toArray()).toEqual([4, 5, 6])
})
