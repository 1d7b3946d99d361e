import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it, vi } from "vitest"
import { createEvents } from "../../../main/services/events.ts"
import { createMemory, type MemoryOptions } from "../../../main/services/memory.ts"
import { reserveOf } from "../../../main/system/reserve.ts"
import type { LoadState } from "../../../shared/contract/app.ts"
import type { MemorySnapshot } from "../../../shared/schema/system.ts"
import { fixtures } from "./fake-engine.ts"
import { runApp, runWithModel } from "./running-app.ts"

async function memoryOf(options: Partial<MemoryOptions> = {}) {
  const running = await runApp()
  const memory = createMemory({
    ...{ engine: running.app.engine, paths: running.app.paths, events: createEvents() },
    loadState: () => ({ state: "none" }),
    gpus: { read: async () => ({ gpus: [], missing: [] }) },
    listProcesses: async () => [],
    windowMemory: () => null,
    every_ms: 15,
    ...options,
  })
  return { ...running, memory }
}

it("measures over the contract: the engine, the program, and what the loaded model takes by plan", async () => {
  const { client, app } = await runWithModel(`${fixtures}llama`)
  const stop = new AbortController()
  const memory = await new Promise<MemorySnapshot>((resolve) => {
    client["app.watchMemory"](undefined, resolve, stop.signal).catch(() => {})
  })
  stop.abort()
  expect(memory).toMatchObject({
    totalBytes: 8e9,
    availableBytes: 4e9,
    engineBytes: 1e8,
    windowBytes: null,
    plan: { weights: 50, total: 100 },
  })
  expect(memory.nibbleBytes).toBe(memory.engineBytes + memory.programBytes)
  expect(memory.programBytes).toBeGreaterThan(2 ** 20)
  expect(memory.reserveBytes).toBe(reserveOf(8e9))
  expect(memory.disk.totalBytes).toBeGreaterThan(memory.disk.freeBytes)
  expect(memory.disk.freeBytes).toBeGreaterThan(0)
  expect(app.paths.home).not.toBe("")
})

it("names other programs, without the window and the engine", async () => {
  const others = [
    { pid: process.pid, parent: 1, name: "node", bytes: 500 },
    { pid: 4242, parent: 1, name: "host", bytes: 400 },
    { pid: 70, parent: 1, name: "page", bytes: 300 },
    { pid: 80, parent: 1, name: "firefox", bytes: 200 },
    ...Array.from({ length: 9 }, (_, index) => ({ pid: 90 + index, parent: 1, name: `small${index}`, bytes: 9 - index })),
  ]
  const { memory } = await memoryOf({ listProcesses: async () => others, windowMemory: () => ({ bytes: 77, pids: [70] }) })
  const measured = await memory.measure()
  expect(measured.windowBytes).toBe(77)
  expect(measured.nibbleBytes).toBe(measured.engineBytes + measured.programBytes + 77)
  expect(measured.others.map(({ name }) => name)).toEqual(["firefox", "small0", "small1", "small2", "small3", "small4"])
})

it("tells what of the model is in use, as long as one is loaded and the engine answers", async () => {
  let load: LoadState = { state: "none" }
  const { memory, app, engine } = await memoryOf({ loadState: () => load, engine_ms: 50 })
  await vi.waitFor(() => expect(app.engine.state.state).toBe("ready"))
  expect((await memory.measure()).inUse).toBeNull()
  load = { state: "ready", model: { plan: null } } as unknown as LoadState
  expect((await memory.measure()).inUse).toEqual(engine.memory.inUse)
  engine.hold("model.memory")
  expect(await memory.measure()).toMatchObject({ inUse: null, engineBytes: 1e8 })
})

it("looks at processes again only after a while, and at the models' folder when the models have changed", async () => {
  let looks = 0
  const events = createEvents()
  const listProcesses = async () => {
    looks++
    return []
  }
  const { memory, app } = await memoryOf({ listProcesses, events, others_ms: 60_000 })
  expect((await memory.measure()).disk.modelsBytes).toBe(0)
  writeFileSync(join(app.paths.models, "weights"), "x".repeat(1000))
  expect((await memory.measure()).disk.modelsBytes).toBe(0)
  expect(looks).toBe(1)
  events.emit({ type: "models", models: [] })
  await vi.waitFor(async () => expect((await memory.measure()).disk.modelsBytes).toBe(1000))
})

it("tells the busy share of the processor between 0 and 1", async () => {
  const { memory } = await memoryOf()
  const end = performance.now() + 60
  while (performance.now() < end) Math.sqrt(end)
  const { cpuBusy } = await memory.measure()
  expect(cpuBusy).toBeGreaterThan(0)
  expect(cpuBusy).toBeLessThanOrEqual(1)
})

it("does not wait for an engine that does not answer", async () => {
  const { memory, engine } = await memoryOf({ engine_ms: 20 })
  engine.hold("engine.info")
  const measured = await memory.measure()
  expect(measured).toMatchObject({ engineBytes: 0, inUse: null, mappedBytes: null })
  expect(measured.totalBytes).toBeGreaterThan(0)
  expect(measured.availableBytes).toBeLessThanOrEqual(measured.totalBytes)
})

it("measures once for all who watch, and not at all when nobody does", async () => {
  let measurements = 0
  const gpus = {
    read: async () => {
      measurements++
      return { gpus: [], missing: [] }
    },
  }
  const { memory } = await memoryOf({ gpus })
  const watch = (signal: AbortSignal) => {
    const seen: MemorySnapshot[] = []
    const emit = async (snapshot: MemorySnapshot) => void seen.push(snapshot)
    return { seen, over: Promise.resolve(memory.handlers["app.watchMemory"](undefined, { signal, emit })) }
  }
  await sleep(40)
  expect(measurements).toBe(0)
  const [first, second] = [new AbortController(), new AbortController()]
  const one = watch(first.signal)
  await vi.waitFor(() => expect(one.seen.length).toBeGreaterThan(1))
  const other = watch(second.signal)
  await vi.waitFor(() => expect(other.seen.length).toBeGreaterThan(2))
  // The other began later, and from then on both saw the same.
  expect(one.seen.slice(-2).every((snapshot) => other.seen.includes(snapshot))).toBe(true)
  expect(new Set([...one.seen, ...other.seen]).size).toBeLessThanOrEqual(measurements)
  first.abort()
  second.abort()
  await Promise.all([one.over, other.over])
  await sleep(20)
  const before = measurements
  await sleep(60)
  expect(measurements).toBe(before)
})
