import { setTimeout as sleep } from "node:timers/promises"
import { expect, it, vi } from "vitest"
import { createEvents, eventHandlers } from "../../../main/services/events.ts"
import type { AppEvent } from "../../../shared/contract/app.ts"
import type { Addition } from "../../../shared/schema/addition.ts"
import type { Job } from "../../../shared/schema/job.ts"

function job(id: string, done: number): Job {
  const progress = { phase: "copy" as const, done, total: 9, unit: "bytes" as const, rate: 0, secondsLeft: null, item: "" }
  return { id, kind: "import", subject: "x", state: "running", progress, modelId: null, error: null, startedAt: 0, endedAt: null }
}

function subscribed(accept: (event: AppEvent) => Promise<void>) {
  const events = createEvents()
  const stop = new AbortController()
  const handlers = eventHandlers(events)
  const over = Promise.resolve(handlers["app.events"](undefined, { signal: stop.signal, emit: accept }))
  return { events, stop, over }
}

it("tells everything in order until it is cancelled", async () => {
  const seen: AppEvent[] = []
  const { events, stop, over } = subscribed(async (event) => void seen.push(event))
  events.emit({ type: "load", load: { state: "none" } })
  events.emit({ type: "engine", engine: { state: "ready", reason: null } })
  await vi.waitFor(() => expect(seen).toHaveLength(2))
  expect(seen.map(({ type }) => type)).toEqual(["load", "engine"])
  stop.abort()
  await over
  events.emit({ type: "load", load: { state: "none" } })
  await sleep(20)
  expect(seen).toHaveLength(2)
})

it("gives a slow page the newest of each addition", async () => {
  const seen: AppEvent[] = []
  const { promise: first, resolve: go } = Promise.withResolvers<void>()
  const { events, stop, over } = subscribed((event) => {
    seen.push(event)
    return first
  })
  const about = (id: string, updatedAt: number) => ({ type: "addition" as const, addition: { id, updatedAt } as Addition })
  events.emit({ type: "load", load: { state: "none" } })
  await sleep(5)
  for (const event of [about("a", 1), about("b", 1), about("a", 2)]) events.emit(event)
  go()
  await vi.waitFor(() => expect(seen).toHaveLength(3))
  expect(seen.slice(1)).toEqual([about("b", 1), about("a", 2)])
  stop.abort()
  await over
})

it("gives a slow page the newest value of each part only, and nothing out of order", async () => {
  const seen: AppEvent[] = []
  let go = () => {}
  const first = new Promise<void>((resolve) => {
    go = resolve
  })
  const { events, stop, over } = subscribed((event) => {
    seen.push(event)
    return first
  })
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
