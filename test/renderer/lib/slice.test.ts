import { beforeEach, expect, test, vi } from "vitest"
import { resetAll, slice } from "../../../renderer/lib/slice.ts"

const one = slice("one", { count: 0, name: "a" })
const two = slice("two", { count: 10 })

beforeEach(resetAll)

test("parts are apart", () => {
  one.update({ count: 1 })
  two.update((part) => ({ count: part.count + 1 }))
  expect(one.get()).toEqual({ count: 1, name: "a" })
  expect(two.get()).toEqual({ count: 11 })
  one.reset()
  expect(one.get()).toEqual({ count: 0, name: "a" })
  expect(two.get()).toEqual({ count: 11 })
})

test("listeners hear of their own part alone, until they are ended", () => {
  const heard = vi.fn()
  const end = one.subscribe(heard)
  two.update({ count: 5 })
  expect(heard).not.toHaveBeenCalled()
  one.update({ count: 2 })
  expect(heard).toHaveBeenCalledExactlyOnceWith({ count: 2, name: "a" }, { count: 0, name: "a" })
  end()
  one.update({ count: 3 })
  expect(heard).toHaveBeenCalledTimes(1)
})

test("a name is taken once", () => {
  expect(() => slice("one", {})).toThrow('"one"')
})
