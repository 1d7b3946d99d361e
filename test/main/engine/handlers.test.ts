// Calls are tracked: what is running is waited for at the end, and when nothing has run for a while, that is told.
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { EngineAddon } from "../../../main/engine/addon-types.ts"
import { createHandlers } from "../../../main/engine/handlers.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const call = { signal: new AbortController().signal, emit: async () => {} }

it("tells that it is idle half a second after the last call", async () => {
  const measured = Promise.withResolvers<number>()
  const task = { promise: measured.promise, cancel: vi.fn() }
  const addon = { selfTest: () => null, measureBandwidth: () => task } as unknown as EngineAddon
  const onIdle = vi.fn()
  const { handlers } = createHandlers({ addon: () => addon, onIdle })
  const test = () => handlers["engine.selfTest"]({ backend: "ref" }, call)

  await test()
  await vi.advanceTimersByTimeAsync(400)
  await test()
  await vi.advanceTimersByTimeAsync(400)
  expect(onIdle).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(200)
  expect(onIdle).toHaveBeenCalledOnce()

  // Not while another one still runs.
  const long = handlers["engine.bandwidth"]({ bytes: 1, threads: 1 }, call)
  await test()
  await vi.advanceTimersByTimeAsync(2000)
  expect(onIdle).toHaveBeenCalledOnce()
  measured.resolve(1)
  await long
  await vi.advanceTimersByTimeAsync(600)
  expect(onIdle).toHaveBeenCalledTimes(2)
})
