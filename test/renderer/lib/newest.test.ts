import { expect, test, vi } from "vitest"
import { forNewest } from "../../../renderer/lib/newest.ts"

/** Work whose end is told by hand. */
function held() {
  const ends: (() => void)[] = []
  const work = vi.fn(() => new Promise<void>((resolve) => ends.push(resolve)))
  const end = async () => {
    ends.shift()?.()
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { work, end }
}

test("asked many times meanwhile, it runs once more, and rests when nothing changed", async () => {
  const { work, end } = held()
  const rest = vi.fn(async () => {})
  const ask = forNewest(work, rest)
  for (let i = 0; i < 5; i++) ask()
  expect(work).toHaveBeenCalledTimes(1)
  await end()
  expect([work.mock.calls.length, rest.mock.calls.length]).toEqual([2, 0])
  await end()
  expect([work.mock.calls.length, rest.mock.calls.length]).toEqual([2, 1])
  ask()
  expect(work).toHaveBeenCalledTimes(3)
})

test("a rest that was overtaken knows it, and the work runs again", async () => {
  const { work, end } = held()
  const seen: boolean[] = []
  const rest = held()
  const ask = forNewest(work, async (isOutdated) => {
    await rest.work()
    seen.push(isOutdated())
  })
  ask()
  await end()
  ask()
  await rest.end()
  expect([seen, work.mock.calls.length]).toEqual([[true], 2])
  await end()
  await rest.end()
  expect(seen).toEqual([true, false])
})

test("a failure does not end it for good", async () => {
  const work = vi.fn(async () => {
    if (work.mock.calls.length === 1) throw new Error("once")
  })
  const ask = forNewest(
    () => work().catch(() => {}),
    async () => {},
  )
  ask()
  await vi.waitFor(() => expect(work).toHaveBeenCalledTimes(1))
  await new Promise((resolve) => setTimeout(resolve))
  ask()
  await vi.waitFor(() => expect(work).toHaveBeenCalledTimes(2))
})
