// A connection that does not answer is ended; one that answers stays.
import { EventEmitter } from "node:events"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { WebSocketServer } from "ws"
import { watchConnections } from "../../../main/serve/heartbeat.ts"

class Connection extends EventEmitter {
  isEnded = false
  readonly answers: boolean
  constructor(answers: boolean) {
    super()
    this.answers = answers
  }
  ping() {
    if (this.answers) this.emit("pong")
  }
  terminate() {
    this.isEnded = true
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it("ends the silent one only", () => {
  const [alive, silent] = [new Connection(true), new Connection(false)]
  const stop = watchConnections({ clients: new Set([alive, silent]) } as unknown as WebSocketServer, 1000)
  vi.advanceTimersByTime(1000)
  expect([alive.isEnded, silent.isEnded]).toEqual([false, false])
  vi.advanceTimersByTime(1000)
  expect([alive.isEnded, silent.isEnded]).toEqual([false, true])
  vi.advanceTimersByTime(10_000)
  expect(alive.isEnded).toBe(false)
  expect(alive.listenerCount("pong")).toBe(0)
  stop()
})
