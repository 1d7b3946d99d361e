import { beforeEach, describe, expect, test, vi } from "vitest"
import { attach } from "../../../renderer/lib/client.ts"
import { applyEvent, fillMirror, known, mirror, watchMemory } from "../../../renderer/lib/mirror.ts"
import { resetAll } from "../../../renderer/lib/slice.ts"
import { type AppEvent, app, type Snapshot } from "../../../shared/contract/app.ts"
import { type CallContext, type Handlers, serve } from "../../../shared/rpc.ts"
import type { Job } from "../../../shared/schema/job.ts"
import { Settings } from "../../../shared/schema/settings.ts"
import type { MemorySnapshot } from "../../../shared/schema/system.ts"
import { portPair } from "./ports.ts"

const snapshot: Snapshot = {
  system: {
    version: "1",
    platform: "p",
    face: "served",
    dataFolder: "/d",
    cpu: "c",
    cores: 2,
    memoryBytes: 1,
    diskFreeBytes: 1,
    isa: "avx2",
  },
  engine: { state: "ready", reason: null },
  load: { state: "none" },
  models: [],
  jobs: [],
  chats: [],
  settings: Settings.parse({}),
  starter: { name: "S", description: "", license: "", source: null, downloadBytes: 0, memoryBytes: 0, parameters: 0 },
  additions: [],
  hub: { endpoint: "", token: null, name: null },
  speed: null,
  predictions: [],
}
const job: Job = {
  id: "j1",
  kind: "import",
  subject: "M",
  state: "running",
  progress: { phase: "copy", done: 0, total: 0, unit: "bytes", rate: 0, secondsLeft: null, item: "" },
  modelId: null,
  error: null,
  startedAt: 0,
  endedAt: null,
}
const memory = {
  at: 0,
  totalBytes: 1,
  availableBytes: 1,
  nibbleBytes: 1,
  plan: null,
  engineBytes: 1,
  inUse: null,
  mappedBytes: null,
  programBytes: 0,
  windowBytes: null,
  others: [],
  reserveBytes: 0,
  disk: { totalBytes: 1, freeBytes: 1, modelsBytes: 0, offloadBytes: 0 },
  cpuBusy: 0,
  gpus: [],
  missing: [],
}

const apply = (event: AppEvent) => mirror.update((part) => applyEvent(part, event))

beforeEach(resetAll)

describe("events", () => {
  test("replace one part of the copy and leave the others", () => {
    mirror.update({ snapshot })
    apply({ type: "engine", engine: { state: "lost", reason: "gone" } })
    apply({ type: "settings", settings: { ...snapshot.settings, theme: "dark" } })
    apply({ type: "chats", chats: [{ id: "c", title: "t", createdAt: 0, updatedAt: 0 }] })
    expect(known()).toMatchObject({ engine: { state: "lost" }, settings: { theme: "dark" }, chats: [{ id: "c" }] })
    expect(known().models).toBe(snapshot.models)
  })

  test("about a job add it once and change it after", () => {
    mirror.update({ snapshot })
    apply({ type: "job", job })
    apply({ type: "job", job: { ...job, state: "done" } })
    expect(known().jobs).toEqual([{ ...job, state: "done" }])
    apply({ type: "jobs", jobs: [] })
    expect(known().jobs).toEqual([])
  })

  test("before the snapshot are left to it", () => {
    apply({ type: "job", job })
    expect(mirror.get()).toEqual({ snapshot: null, memory: null, round: 0 })
    expect(() => known()).toThrow()
  })
})

test("the copy is filled over a connection and follows it", async () => {
  let emit = (_: AppEvent): unknown => {
    throw new Error("nobody listens yet")
  }
  const handlers = {
    "app.snapshot": () => snapshot,
    "app.events": (_: unknown, context: { emit(event: AppEvent): Promise<void>; signal: AbortSignal }) => {
      emit = context.emit
      return new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve()))
    },
  } as unknown as Handlers<typeof app>
  const [page, main] = portPair()
  serve(app, handlers, main, { isChecked: true })
  attach(
    page,
    () => {},
    () => {},
  )
  await fillMirror()
  expect(mirror.get()).toMatchObject({ snapshot, round: 1 })
  await emit({ type: "job", job })
  expect(known().jobs).toEqual([job])
})

test("memory is watched while the page is shown, and not while it is hidden", async () => {
  const watchers = new Set<(memory: MemorySnapshot) => Promise<void>>()
  const handlers = {
    "app.watchMemory": (_: unknown, { emit, signal }: CallContext<MemorySnapshot>) => {
      watchers.add(emit)
      return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(void watchers.delete(emit))))
    },
  } as unknown as Handlers<typeof app>
  const [page, main] = portPair()
  serve(app, handlers, main, { isChecked: true })
  const nothing = () => {}
  attach(page, nothing, nothing)
  const shown = { hidden: false }
  vi.stubGlobal("document", shown)
  watchMemory()
  await vi.waitFor(() => expect(watchers.size).toBe(1))
  for (const emit of watchers) await emit(memory)
  await vi.waitFor(() => expect(mirror.get().memory).toEqual(memory))
  shown.hidden = true
  watchMemory()
  await vi.waitFor(() => expect(watchers.size).toBe(0))
  shown.hidden = false
  watchMemory()
  watchMemory()
  await vi.waitFor(() => expect(watchers.size).toBe(1))
  vi.unstubAllGlobals()
})
