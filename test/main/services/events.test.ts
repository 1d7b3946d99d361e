import { setTimeout as sleep } from "node:timers/promises"
import { expect, it, vi } from "vitest"
import { createEvents, eventHandlers } from "../../../main/services/events.ts"
import type { AppEvent } from "../../../shared/contract/app.ts"
import type { Job } from "../../../shared/schema/job.ts"

const memory = {
  at: 0,
  totalBytes: 1,
  availableBytes: 1,
  nibbleBytes: 1,
  plan: null,
  engineBytes: 1,
  programBytes: 0,
  windowBytes: null,
  others: [],
  reserveBytes: 0,
  disk: { totalBytes: 1, freeBytes: 1, modelsBytes: 0, offloadBytes: 0 },
  cpuBusy: 0,
  gpus: [],
  missing: [],
}

function job(id: string, done: number): Job {
  const progress = { phase: "copy" as const, done, total: 9, unit: "bytes" as const, rate: 0, secondsLeft: null, item: "" }
  return { id, kind: "import", subject: "x", state: "running", progress, modelId: null, error: null, startedAt: 0, endedAt: null }
}

function subscribed(accept: (event: AppEvent) => Promise<void>, measureMemory = async () => memory) {
  const events = createEvents()
  const stop = new AbortController()
  const handlers = eventHandlers({ events, measureMemory, memory_ms: 20 })
  const over = Promise.resolve(handlers["app.events"](undefined, { signal: stop.signal, emit: accept }))
  return { events, stop, over }
}

it("tells everything in order, and memory again and again, until it is cancelled", async () => {
  const seen: AppEvent[] = []
  const { events, stop, over } = subscribed(async (event) => void seen.push(event))
  events.emit({ type: "load", load: { state: "none" } })
  events.emit({ type: "engine", engine: { state: "ready", reason: null } })
  await vi.waitFor(() => expect(seen.filter(({ type }) => type === "memory").length).toBeGreaterThan(2))
  expect(seen.slice(0, 2).map(({ type }) => type)).toEqual(["load", "engine"])
  stop.abort()
  await over
  const { length } = seen
  events.emit({ type: "load", load: { state: "none" } })
  await sleep(50)
  expect(seen).toHaveLength(length)
})

it("gives a slow page the newest value of each part only, and nothing out of order", async () => {
  const seen: AppEvent[] = []
  let go = () => {}
  const first = new Promise<void>((resolve) => {
    go = resolve
  })
  const { events, stop, over } = subscribed(
    (event) => {
      seen.push(event)
      return first
    },
    () => Promise.reject(new Error("no engine")),
  )
  events.emit({ type: "load", load: { state: "none" } })
  await sleep(5)
  for (let done = 0; done < 9; done++) events.emit({ type: "job", job: job("a", done) })
  events.emit({ type: "job", job: job("b", 1) })
  events.emit({ type: "jobs", jobs: [job("a", 8), job("b", 1)] })
  events.emit({ type: "job", job: job("a", 9) })
  go()
  await vi.waitFor(() => expect(seen).toHaveLength(4))
  expect(seen.slice(1).map((event) => (event.type === "job" ? `${event.job.id} ${event.job.progress.done}` : event.type))).toEqual([
    "b 1",
    "jobs",
    "a 9",
  ])
  stop.abort()
  await over
})
