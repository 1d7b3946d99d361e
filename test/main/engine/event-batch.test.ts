import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { createEventBatch } from "../../../main/engine/event-batch.ts"

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }))
afterEach(() => void vi.useRealTimers())

test("the first goes out at once, the rest every 30 ms, and nothing is lost", async () => {
  const events: { text: string; tokens: number }[] = []
  const batch = createEventBatch(async (event) => void events.push(event))
  batch.add("a", 1)
  expect(events).toEqual([{ text: "a", tokens: 1 }])
  for (let i = 0; i < 10; i++) {
    batch.add("b", 1)
    await vi.advanceTimersByTimeAsync(10)
  }
  expect(events.length).toBeLessThanOrEqual(5)
  batch.add("c", 1)
  await batch.end()
  expect(events.map(({ text }) => text).join("")).toBe("abbbbbbbbbbc")
  expect(events.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(12)
})

test("a receiver that does not keep up gets fewer and larger events", async () => {
  const events: string[] = []
  let release = () => {}
  const batch = createEventBatch(async ({ text }) => {
    events.push(text)
    await new Promise<void>((resolve) => {
      release = resolve
    })
  })
  batch.add("a", 1)
  for (let i = 0; i < 100; i++) {
    batch.add("b", 1)
    await vi.advanceTimersByTimeAsync(30)
  }
  expect(events.length).toBeLessThanOrEqual(2)
  release()
  await vi.advanceTimersByTimeAsync(40)
  const ending = batch.end()
  release()
  await vi.advanceTimersByTimeAsync(40)
  release()
  await ending
  expect(events.join("")).toBe(`a${"b".repeat(100)}`)
})

test("tokens without text are counted, and nothing is sent for nothing", async () => {
  const events: { text: string; tokens: number }[] = []
  const batch = createEventBatch(async (event) => void events.push(event))
  await batch.end()
  batch.add("", 1)
  batch.add("", 1)
  await batch.end()
  expect(events).toEqual([{ text: "", tokens: 2 }])
})
