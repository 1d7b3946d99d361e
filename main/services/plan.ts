// Plans: what a model would take on this computer or another, how fast and how good it would be, and what to change so that it fits.
// The engine computes memory; main/plan has the rest. Asked again and again while a slider moves, so what does not depend on it is kept.
import { join } from "node:path"
import type { AppContract, LoadState } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { Format } from "../../shared/schema/format.ts"
import type { Job } from "../../shared/schema/job.ts"
import type { PlanRequest, PlanRow, SpeedProfile } from "../../shared/schema/plan.ts"
import type { EngineInfo } from "../../shared/schema/system.ts"
import type { Engine } from "../engine/client.ts"
import { adviceOn } from "../plan/advice.ts"
import { capacityTable } from "../plan/capacity.ts"
import { findComputer, planComputers } from "../plan/computers.ts"
import { devicesHere, limited } from "../plan/devices.ts"
import { changesThatFit } from "../plan/fit.ts"
import { engineRows, type PlanPlace, planReport, rowsOfTraining, speedFacts } from "../plan/report.ts"
import { estimateSpeed } from "../plan/speed-estimate.ts"
import { createSpeedStore, speedKey } from "../plan/speed-store.ts"
import type { Database } from "../storage/database.ts"
import type { Events } from "./events.ts"
import type { Loader } from "./loading.ts"
import type { SettingsService } from "./settings.ts"

export interface PlanService {
  /** Of this computer as the engine runs now; null: not measured. */
  speed(): SpeedProfile | null
  /** Plans for the disk of another folder than the data folder. */
  chooseDisk(folder: string): void
  handlers: Pick<Handlers<AppContract>, "plan.rows" | "plan.fit" | "plan.advice" | "plan.computers" | "plan.capacity" | "plan.benchmark">
}

export interface PlanServiceOptions {
  database: Database
  engine: Pick<Engine, "client">
  events: Pick<Events, "emit">
  loader: Pick<Loader, "state" | "use">
  settings: Pick<SettingsService, "get">
  jobs: { list(): Job[] }
  /** The data folder. */
  home: string
  /** Share of next tokens that stay the same, as measured of a model by its path; null: not measured. */
  measured(path: string, format: Format): number | null
  /** What this computer has free is looked at again after so long: in between a slider moves over the same devices. */
  devices_ms?: number
}

export function createPlan(options: PlanServiceOptions): PlanService {
  const { database, engine, events, loader, settings, jobs, home, measured, devices_ms = 2000 } = options
  const { client } = engine
  const store = createSpeedStore(database)
  let info: EngineInfo | null = null
  let diskFolder = home
  let here: { place: Promise<PlanPlace>; until: number } | null = null
  const training = createKept<PlanRow[]>()

  const speed = () => {
    const { threads } = settings.get()
    return info ? store.find(speedKey(info, threads)) : store.newest(threads)
  }

  async function placeHere(): Promise<PlanPlace> {
    info = await client["engine.info"](undefined)
    const profile = speed()
    const facts = { info, loadedMappedBytes: mappedBytes(loader.state()), bandwidth: profile?.bandwidth ?? 0, folder: diskFolder }
    return { devices: await devicesHere(facts), profile }
  }

  async function placeOf({ computer, maxMemory }: Pick<PlanRequest, "computer" | "maxMemory">): Promise<PlanPlace> {
    let place: PlanPlace
    if (computer === undefined) {
      const now = performance.now()
      if (!here || now > here.until) here = { place: placeHere(), until: now + devices_ms }
      const mine = here
      place = await mine.place.catch((thrown) => {
        if (here === mine) here = null
        throw thrown
      })
    } else place = { devices: known(computer).devices, profile: null }
    return { ...place, devices: limited(place.devices, maxMemory) }
  }

  /** The request with what the settings say where it says nothing. */
  const settled = (request: PlanRequest): PlanRequest => ({ ...request, threads: request.threads || settings.get().threads })

  async function report(wish: PlanRequest, place: PlanPlace) {
    const request = settled(wish)
    const trained = (formats: Format[], contextLimit: number) => {
      const train = { ...request.train, sequenceLength: Math.min(request.train.sequenceLength, contextLimit) }
      const plain = { ...request, context: 0, usedTokens: 0, train }
      return training(JSON.stringify([plain, formats, place.devices]), () => rowsOfTraining(client, plain, formats, place))
    }
    return planReport(client, request, place, (format) => measured(request.path, format), trained)
  }

  async function fit({ format, ...wish }: PlanRequest & { format: Format }) {
    const place = await placeOf(wish)
    const request = settled(wish)
    const ask = async (change: Partial<PlanRequest>, wanted: Format) => {
      const { rows, layers } = await engineRows(client, { ...request, ...change, formats: [wanted] }, place)
      return { row: rows[0], layers }
    }
    const { row, layers } = await ask({}, format)
    if (!row) return []
    const facts = speedFacts(place, layers, [row])
    return changesThatFit({
      ...{ request, row, devices: place.devices },
      speedOf: (one) => estimateSpeed(one, facts)?.tokensPerS ?? null,
      async ask({ format: other = format, ...change }) {
        const changed = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
        // A model that is quantized already has no other formats.
        const answer = await ask(changed, other).catch((thrown) => {
          if (thrown instanceof AppError && (thrown.code === "bad_input" || thrown.code === "unsupported")) return null
          throw thrown
        })
        return answer?.row ?? null
      },
    })
  }

  async function advice({ format, ...wish }: PlanRequest & { format: Format }) {
    const place = await placeOf(wish)
    const { formats: _, ...whole } = wish
    const { rows, devices } = await report(whole, place)
    const row = rows.find((one) => one.format === format)
    if (!row) throw new AppError("bad_input", `There is no plan in ${format}; there are ${rows.map((one) => one.format).join(", ")}.`)
    const { computer } = wish
    return adviceOn({
      ...{ rows, row, request: wish, devices },
      isSpeedMeasured: computer === undefined ? place.profile !== null : null,
      hasFp8: computer !== undefined && known(computer).hasFp8,
    })
  }

  async function benchmark(onProgress: (fraction: number) => void, signal: AbortSignal): Promise<SpeedProfile> {
    refuseWhileBusy()
    const { threads } = settings.get()
    info = await client["engine.info"](undefined)
    const profile = await client["engine.speed"]({ threads }, ({ fraction }) => onProgress(fraction), signal)
    store.keep(info.version, profile)
    here = null
    events.emit({ type: "speed", speed: profile })
    return profile
  }

  /** Two at once would each measure half. */
  function refuseWhileBusy(): void {
    const state = loader.state()
    const job = jobs.list().find((one) => one.state === "running")
    const what = state.state === "loading" ? `${state.name} is being loaded` : job ? `${job.subject} is being worked on` : null
    if (what) throw new AppError("busy", `The speed is measured while nothing else runs, and ${what}.`, "Wait for its end, or stop it.")
  }

  let isMeasuring = false
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    if (isMeasuring) throw new AppError("busy", "The speed is being measured already.", "Wait some seconds.")
    isMeasuring = true
    try {
      return await (loader.state().state === "ready" ? loader.use("the speed is being measured", work) : work())
    } finally {
      isMeasuring = false
    }
  }

  return {
    speed,
    chooseDisk(folder) {
      diskFolder = folder
      here = null
    },
    handlers: {
      "plan.rows": async (wish) => report(wish, await placeOf(wish)),
      "plan.fit": fit,
      "plan.advice": advice,
      "plan.computers": () => planComputers.map(({ id, label, devices }) => ({ id, label, devices })),
      async "plan.capacity"({ computer, context }) {
        const place = await placeOf({ ...(computer === undefined ? {} : { computer }), maxMemory: {} })
        const folder = join(home, "cache", "catalog")
        return capacityTable(client, { ...place, computer: computer ?? "", context, threads: settings.get().threads, folder })
      },
      "plan.benchmark": (_, { signal, emit }) => alone(() => benchmark((fraction) => void emit({ fraction }), signal)),
    },
  }
}

function known(computer: string) {
  const found = findComputer(computer)
  if (found) return found
  throw new AppError(
    "not_found",
    `There is no computer "${computer}" in the list.`,
    `There are: ${planComputers.map(({ id }) => id).join(", ")}.`,
  )
}

function mappedBytes(load: LoadState): number {
  return load.state === "ready" ? load.model.plan.mapped : 0
}

/** Keeps the answers to the last few questions. */
function createKept<T>(most = 16): (key: string, find: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, Promise<T>>()
  return (key, find) => {
    const answer = kept.get(key) ?? find()
    kept.delete(key)
    kept.set(key, answer)
    answer.catch(() => kept.get(key) === answer && kept.delete(key))
    const [oldest] = kept.keys()
    if (kept.size > most && oldest !== undefined) kept.delete(oldest)
    return answer
  }
}
