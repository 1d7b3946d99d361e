// Who holds how much of this computer's memory and disk: measured once a second for all pages that watch, and not at all while none does.
import { readFile, statfs } from "node:fs/promises"
import { cpus, freemem, totalmem } from "node:os"
import type { AppContract, LoadState } from "../../shared/contract/app.ts"
import type { CallContext, Handlers } from "../../shared/rpc.ts"
import type { MemoryParts } from "../../shared/schema/plan.ts"
import type { EngineInfo, MemorySnapshot } from "../../shared/schema/system.ts"
import type { Engine } from "../engine/client.ts"
import { askEngine, within } from "../engine/info.ts"
import { sizeOf } from "../storage/folder-size.ts"
import type { DataPaths } from "../storage/paths.ts"
import type { GpuProbe } from "../system/gpu.ts"
import { largestOthers, type ProcessMemory, procBytes } from "../system/processes.ts"
import { reserveOf } from "../system/reserve.ts"
import type { Events } from "./events.ts"

/** The window's processes, where the page has a window of its own. */
export interface WindowMemory {
  bytes: number
  pids: number[]
}

export interface MemoryService {
  measure(): Promise<MemorySnapshot>
  handlers: Pick<Handlers<AppContract>, "app.watchMemory">
  close(): void
}

export interface MemoryOptions {
  engine: Pick<Engine, "client" | "state" | "pid" | "onState">
  paths: DataPaths
  events: Events
  loadState(): LoadState
  gpus: GpuProbe
  listProcesses(): Promise<ProcessMemory[]>
  /** null: a browser shows the page, or nothing does. */
  windowMemory(): WindowMemory | null
  /** How long an engine that does not answer is waited for. */
  engine_ms?: number
  /** From one measurement to the next. */
  every_ms?: number
  /** Looking at all processes costs more than the rest together: what was seen counts for so long. */
  others_ms?: number
}

const shownOthers = 6

interface Baseline {
  pid: number | undefined
  fileBytes: number | null
}

export function createMemory(options: MemoryOptions): MemoryService {
  const { engine, paths, events, loadState, gpus, windowMemory, engine_ms = 3000, every_ms = 1000, others_ms = 4000 } = options
  const cpuBusy = createCpuMeter()
  const modelsBytes = createKept(() => sizeOf(paths.models).then(({ bytes }) => bytes), Number.POSITIVE_INFINITY)
  const processes = createKept(options.listProcesses, others_ms)
  let baseline: Baseline | null = null

  const stopEvents = events.subscribe(({ type }) => type === "models" && modelsBytes.renew())
  // Before the first model: what the engine takes by itself.
  const stopStates = engine.onState(({ state }) => void (state === "ready" && askEngine(engine, engine_ms).then(noteBaseline)))

  async function noteBaseline(info: EngineInfo | null): Promise<void> {
    const { state } = loadState()
    if (!info || state === "ready" || (state === "loading" && baseline?.pid === engine.pid)) return
    const { pid } = engine
    baseline = { pid, fileBytes: await fileBytes(pid) }
  }

  async function measure(): Promise<MemorySnapshot> {
    const info = engine.state.state === "ready" ? await askEngine(engine, engine_ms) : null
    await noteBaseline(info)
    const load = loadState()
    const { pid } = engine
    const [inUse, disk, others, nowInFiles, gpuReport] = await Promise.all([
      info && load.state === "ready" ? inUseOf(engine, engine_ms) : null,
      statfs(paths.home).catch(() => null),
      processes.get(),
      fileBytes(pid),
      gpus.read(info?.backends ?? []),
    ])
    const window = windowMemory()
    const own = [process.pid, ...(pid === undefined ? [] : [pid]), ...(window?.pids ?? [])]
    const engineBytes = info?.residentBytes ?? 0
    const programBytes = process.memoryUsage.rss()
    const known = baseline !== null && baseline.pid === pid && info ? baseline : null
    const totalBytes = info?.totalMemoryBytes ?? limitedTotal()
    return {
      at: Date.now(),
      totalBytes,
      availableBytes: info?.availableMemoryBytes ?? Math.min(freemem(), totalBytes),
      nibbleBytes: engineBytes + programBytes + (window?.bytes ?? 0),
      plan: load.state === "ready" ? load.model.plan : null,
      engineBytes,
      inUse,
      mappedBytes: known === null || known.fileBytes === null || nowInFiles === null ? null : Math.max(0, nowInFiles - known.fileBytes),
      programBytes,
      windowBytes: window?.bytes ?? null,
      others: largestOthers(others ?? [], own, shownOthers),
      reserveBytes: reserveOf(totalBytes),
      disk: {
        totalBytes: disk ? disk.blocks * disk.bsize : 0,
        freeBytes: disk ? disk.bavail * disk.bsize : 0,
        modelsBytes: (await modelsBytes.get()) ?? 0,
        // Weights that do not fit are read from the model's own files: nothing is laid out for them.
        offloadBytes: 0,
      },
      cpuBusy: cpuBusy(),
      ...gpuReport,
    }
  }

  const watchers = createWatchers(measure, every_ms)
  return {
    measure,
    handlers: { "app.watchMemory": (_, context) => watchers.watch(context) },
    close() {
      stopEvents()
      stopStates()
    },
  }
}

/** Null where another model is being loaded meanwhile, or the engine does not answer. */
async function inUseOf(engine: Pick<Engine, "client">, patience_ms: number): Promise<MemoryParts | null> {
  const memory = await within(patience_ms, (late) => engine.client["model.memory"](undefined, late))
  return memory?.inUse ?? null
}

/** One measurement for all: the first who comes starts the clock, the last who goes stops it. Who is slow gets the newest only. */
function createWatchers(measure: () => Promise<MemorySnapshot>, every_ms: number) {
  const wakes = new Set<() => void>()
  let newest: MemorySnapshot | null = null
  let timer: NodeJS.Timeout | undefined
  let isMeasuring = false

  async function tick(): Promise<void> {
    if (isMeasuring) return
    isMeasuring = true
    newest = await measure().catch(() => newest)
    isMeasuring = false
    for (const wake of wakes) wake()
  }

  return {
    async watch({ signal, emit }: CallContext<MemorySnapshot>): Promise<void> {
      let wake = () => {}
      const woken = () => wake()
      wakes.add(woken)
      signal.addEventListener("abort", woken)
      if (wakes.size === 1) timer = setInterval(() => void tick(), every_ms)
      void tick()
      let told: MemorySnapshot | null = newest
      try {
        while (!signal.aborted) {
          if (newest === told) {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          } else if (newest) {
            told = newest
            await emit(newest)
          }
        }
      } finally {
        signal.removeEventListener("abort", woken)
        wakes.delete(woken)
        if (wakes.size === 0) clearInterval(timer)
      }
    },
  }
}

/** Something that takes time to find out: found once, kept, and found out again in the background when it has become old. */
function createKept<T>(find: () => Promise<T>, fresh_ms: number) {
  let value: T | null = null
  let since = Number.NEGATIVE_INFINITY
  let isFinding: Promise<void> | null = null
  const renew = () => {
    since = performance.now()
    isFinding = find().then(
      (found) => {
        value = found
      },
      () => {},
    )
  }
  return {
    renew,
    /** Waits for the first only. */
    async get(): Promise<T | null> {
      if (performance.now() - since > fresh_ms) renew()
      if (value === null) await isFinding
      return value
    },
  }
}

/** Pages of files in a process's memory; null where the system does not tell. */
async function fileBytes(pid: number | undefined): Promise<number | null> {
  if (process.platform !== "linux" || pid === undefined) return null
  return procBytes(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""), "RssFile")
}

/** While the engine, which knows about control groups, does not answer. */
function limitedTotal(): number {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : totalmem()
}

/** Each call gives the busy share of all cores since the call before. */
function createCpuMeter(): () => number {
  const read = () => {
    const times = cpus().map((core) => core.times)
    const total = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0)
    return { total, idle: times.reduce((sum, { idle }) => sum + idle, 0) }
  }
  let before = read()
  let share = 0
  return () => {
    const now = read()
    // The system counts in hundredths of a second: too soon after the last call there is nothing to divide.
    if (now.total > before.total) {
      share = 1 - (now.idle - before.idle) / (now.total - before.total)
      before = now
    }
    return Math.min(1, Math.max(0, share))
  }
}
