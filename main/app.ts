// Builds the services and joins them: the only place that knows all of them. It knows no face; the window, the server and the command
// line each make one App and hand its handlers to whoever calls.
import { homedir } from "node:os"
import type { AppContract } from "../shared/contract/app.ts"
import type { Handlers } from "../shared/rpc.ts"
import { toErrorData } from "../shared/schema/error.ts"
import type { SystemInfo } from "../shared/schema/system.ts"
import { hubSources } from "./additions/hub-sources.ts"
import { type Engine, type HostProcess, startEngine } from "./engine/client.ts"
import { fetchAgain, useUp } from "./hub/download-manifest.ts"
import { downloadSet } from "./hub/download-set.ts"
import { missingBytes, requireVolumes, spacePerVolume } from "./hub/download-space.ts"
import { estimateFor } from "./hub/estimate.ts"
import { createNetwork, type Network } from "./hub/network.ts"
import { classify } from "./models/find.ts"
import { inspectModel } from "./models/inspect.ts"
import { type AdditionsService, createAdditions } from "./services/additions.ts"
import { createChat } from "./services/chat.ts"
import { type Chats, createChats } from "./services/chats.ts"
import { createEvents, type Events, eventHandlers } from "./services/events.ts"
import { createFiles } from "./services/files.ts"
import { createHub, type HubService } from "./services/hub.ts"
import { createJobs, type Jobs } from "./services/jobs.ts"
import { createLoader, type Loader } from "./services/loading.ts"
import { createMemory, type WindowMemory } from "./services/memory.ts"
import { createInUse, createModels } from "./services/models.ts"
import { createOutliers } from "./services/outliers.ts"
import { createPlan, type PlanService } from "./services/plan.ts"
import { createPredictions } from "./services/predictions.ts"
import { createQuality } from "./services/quality.ts"
import { createQuantize } from "./services/quantize.ts"
import { createRegistry, type Registry } from "./services/registry.ts"
import { createSettings, type SettingsService } from "./services/settings.ts"
import { createStarter, type StarterServiceOptions } from "./services/starter.ts"
import { createStorage } from "./services/storage.ts"
import { createSystem } from "./services/system.ts"
import { createTurns } from "./services/turns.ts"
import { type Database, openDatabase } from "./storage/database.ts"
import { type Lock, lockDataFolder } from "./storage/lock.ts"
import { removeLeftStaging, removeOldEntries } from "./storage/model-folders.ts"
import { type DataPaths, huggingFaceCache, prepareDataFolder } from "./storage/paths.ts"
import { createSecretStore, type SecretStore } from "./storage/secret-store.ts"
import { createGpuProbe } from "./system/gpu.ts"
import { listProcesses } from "./system/processes.ts"

export interface AppOptions {
  /** The data folder; see dataFolder() of storage/paths.ts. */
  home: string
  face: SystemInfo["face"]
  startHost: () => HostProcess
  version: string
  /** One locked app per data folder: it ends what dead ones have left. The command line works beside it, without the lock. */
  isLocked?: boolean
  env?: Record<string, string | undefined>
  /** Where a sentence for the log goes. */
  warn?(sentence: string): void
  /** Of the window's processes, where there is one. */
  windowMemory?(): WindowMemory | null
  /** Another package in the place of the starter's; for tests. */
  starter?: Pick<StarterServiceOptions, "package" | "locate">
  /** Where the access token of the hub is kept, for a data folder; absent: in a file there. */
  secrets?(home: string): SecretStore
}

export interface App {
  handlers: Handlers<AppContract>
  services: {
    registry: Registry
    jobs: Jobs
    additions: AdditionsService
    loader: Loader
    chats: Chats
    settings: SettingsService
    events: Events
    network: Network
    hub: HubService
    plan: PlanService
  }
  paths: DataPaths
  engine: Engine
  /** Stops what runs, keeps what was made, ends the engine. */
  close(): Promise<void>
}

/** Downloads that were cut off are gone on with; after so long nobody will. */
const keptDownloads_ms = 7 * 24 * 60 * 60 * 1000

export async function createApp(options: AppOptions): Promise<App> {
  const isLocked = options.isLocked ?? options.face !== "cli"
  const paths = await prepareDataFolder(options.home)
  const lock = isLocked ? await lockDataFolder(paths.home) : null
  let database: Database | null = null
  try {
    database = openDatabase(paths.database)
    return await join(options, { paths, lock, database })
  } catch (thrown) {
    database?.close()
    lock?.release()
    throw thrown
  }
}

async function join(
  options: AppOptions,
  { paths, lock, database }: { paths: DataPaths; lock: Lock | null; database: Database },
): Promise<App> {
  const { face, version, env = process.env } = options
  const warnings: string[] = []
  const warn = (sentence: string) => {
    warnings.push(sentence)
    if (options.warn) options.warn(sentence)
    else console.warn(sentence)
  }
  const events = createEvents()
  const settings = createSettings({ database, events, warn })
  const network = createNetwork({ settings: settings.get(), env })
  events.subscribe((event) => {
    if (event.type === "settings") network.apply(event.settings)
  })
  const registry = createRegistry({ database, events, paths })
  const jobs = createJobs({ database, events, isLocked: lock !== null })
  const chats = createChats({ database, events })
  if (lock) {
    chats.recover()
    await removeLeftStaging(paths.models, jobs.recover())
  }

  const engine = startEngine({ spawn: options.startHost })
  engine.onState((state) => events.emit({ type: "engine", engine: state }))
  const loader = createLoader({ engine, registry, settings, events })
  const inUse = createInUse()
  const inspect = inspectModel
  const models = createModels({ paths, registry, jobs, loader, inUse, inspect })
  if (lock) await models.renew()
  const outliers = createOutliers({ engine, loader })
  const takeTurn = createTurns()
  const quantize = createQuantize({ paths, engine, registry, jobs, loader, settings, inUse, inspect, takeTurn })
  const predictions = createPredictions({ database, engine, events, loader, warn })
  const chat = createChat({ engine, chats, loader, warn, onReply: () => void predictions.afterReply() })
  const files = createFiles({ classify })
  const cache = () => (settings.get().useHuggingFaceCache ? huggingFaceCache({ env, homeFolder: homedir() }) : null)
  const secrets = options.secrets?.(paths.home) ?? createSecretStore(paths.home)
  const usable = () => process.availableMemory() + loadedBytes(loader)
  const hub = await createHub({ ...{ paths, settings, events, network, env, secrets, cache, warn }, estimate: estimateFor(usable) })
  const starter = createStarter({
    ...{ paths, registry, jobs, loader, quantize, inUse, inspect, env, network },
    ...{ currentHub: hub.current, ...options.starter },
  })
  const additions = createAdditions({
    ...{ database, events, paths, engine, registry, settings, inspect, network, takeTurn, isLocked: lock !== null },
    transfers: { downloadSet, markUsed: useUp, fetchAgain, missingBytes, requireVolumes, spacePerVolume },
    hub: {
      model: async (wish) => hub.handlers["hub.model"](wish, { signal: new AbortController().signal, emit: async () => {} }),
      sources: (model, files) => hubSources(hub.current(), model, files, cache()),
    },
  })
  const quality = createQuality({ database, engine, registry, settings, inUse, takeTurn: createTurns() })
  // The check of an addition measures the same; the next plan of the model shows it.
  events.subscribe((event) => {
    if (event.type !== "addition" || event.addition.state !== "done" || event.addition.check.state !== "done") return
    const { path, modelId, check } = event.addition
    quality.record([path, ...(modelId === null ? [] : [modelId])], check.report)
  })
  const plan = createPlan({
    ...{ database, engine, events, loader, settings, jobs, home: paths.home },
    measured: (path, format) => {
      const installed = registry.list().find((model) => model.path === path)
      return (quality.measured(installed?.id ?? path, format) ?? quality.measured(path, format))?.sameTopToken ?? null
    },
  })
  // Headers of models on the hub are few bytes, and plans of additions read them.
  const keptDownloads = () => new Set(["headers", ...additions.list().map(({ id }) => id)])
  if (lock) {
    await removeOldEntries(paths.downloads, Date.now() - keptDownloads_ms, keptDownloads())
    additions.resume()
  }
  const storage = createStorage({
    ...{ paths, jobs, keptDownloads },
    huggingFaceCache: cache,
  })
  const memory = createMemory({
    ...{ engine, paths, events, listProcesses },
    loadState: loader.state,
    gpus: createGpuProbe({ env }),
    windowMemory: () => options.windowMemory?.() ?? null,
  })
  const system = createSystem({
    ...{ version, face, paths, engine, registry, jobs, chats, settings },
    loadState: loader.state,
    starterOffer: starter.offer,
    additions: additions.list,
    hubAccount: hub.account,
    speed: plan.speed,
    predictions: predictions.list,
    warnings: () => warnings,
  })

  if (face !== "cli") wakeEngine(engine, { registry, loader, settings, warn })

  return {
    handlers: {
      ...system.handlers,
      ...eventHandlers(events),
      ...memory.handlers,
      ...models.handlers,
      ...outliers.handlers,
      ...starter.handlers,
      ...quantize.handlers,
      ...jobs.handlers,
      ...chats.handlers,
      ...chat.handlers,
      ...settings.handlers,
      ...files.handlers,
      ...hub.handlers,
      ...additions.handlers,
      ...plan.handlers,
      ...quality.handlers,
      ...storage.handlers,
    },
    services: { registry, jobs, additions, loader, chats, settings, events, network, hub, plan },
    paths,
    engine,
    async close() {
      try {
        await Promise.all([chat.close(), jobs.close(), additions.close()])
        loader.close()
        predictions.close()
        memory.close()
        await engine.close()
        await network.close()
      } finally {
        database.close()
        lock?.release()
      }
    },
  }
}

/** What unloading would about give back. */
function loadedBytes(loader: Loader): number {
  const load = loader.state()
  return load.state === "ready" ? load.model.plan.total - load.model.plan.mapped : 0
}

/** Starts the engine and loads the model used last. Both go on in the background; the load state tells how it ends. */
function wakeEngine(
  engine: Engine,
  { registry, loader, settings, warn }: { registry: Registry; loader: Loader; settings: SettingsService; warn(sentence: string): void },
): void {
  engine.client["engine.info"](undefined).catch(() => {
    // The engine's state says what is wrong.
  })
  const { loadLastModel, lastModelId } = settings.get()
  const last = loadLastModel ? registry.list().find(({ id }) => id === lastModelId) : undefined
  if (!last) return
  loader.load({ modelId: last.id }).catch((thrown) => {
    if (toErrorData(thrown).code === "unsupported") warn(`The model used last was not loaded: ${toErrorData(thrown).message}`)
  })
}
