import { expect, it } from "vitest"
import { createTurns } from "../../../main/services/turns.ts"

const never = new AbortController().signal

it("lets one after the other work, and says who waits", async () => {
  const takeTurn = createTurns()
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const seen: string[] = []
  const first = takeTurn(
    never,
    () => seen.push("first waits"),
    async () => {
      await gate
      seen.push("first")
    },
  )
  const failing = takeTurn(
    never,
    () => seen.push("second waits"),
    async () => {
      seen.push("second")
      throw new Error("no")
    },
  )
  const third = takeTurn(
    never,
    () => seen.push("third waits"),
    async () => seen.push("third"),
  )
  open()
  await first
  await expect(failing).rejects.toThrow("no")
  await third
  expect(seen).toEqual(["second waits", "third waits", "first", "second", "third"])
})

it("lets who is cancelled leave the line, and the others keep their places", async () => {
  const takeTurn = createTurns()
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const abort = new AbortController()
  let isThirdAtWork = false
  const first = takeTurn(
    never,
    () => {},
    () => gate,
  )
  const second = takeTurn(
    abort.signal,
    () => {},
    async () => expect.unreachable(),
  )
  const third = takeTurn(
    never,
    () => {},
    async () => {
      isThirdAtWork = true
    },
  )
  abort.abort()
  await expect(second).rejects.toMatchObject({ code: "cancelled" })
  expect(isThirdAtWork).toBe(false)
  open()
  await Promise.all([first, third])
  expect(isThirdAtWork).toBe(true)
})
