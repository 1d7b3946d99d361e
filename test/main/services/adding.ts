// The service of additions with everything around it but the app: a hub on loopback, real transfers, and the engine that a test chooses.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import type { Transfers } from "../../../main/additions/environment.ts"
import { hubSources } from "../../../main/additions/hub-sources.ts"
import { type HostProcess, startEngine } from "../../../main/engine/client.ts"
import { fetchAgain, useUp } from "../../../main/hub/download-manifest.ts"
import { downloadSet } from "../../../main/hub/download-set.ts"
import { missingBytes, requireVolumes, spacePerVolume } from "../../../main/hub/download-space.ts"
import { createNetwork } from "../../../main/hub/network.ts"
import { type PartialFile, writePartialFiles } from "../../../main/models/header-folder.ts"
import { inspectModel } from "../../../main/models/inspect.ts"
import { createAdditions } from "../../../main/services/additions.ts"
import { createEvents } from "../../../main/services/events.ts"
import { createRegistry } from "../../../main/services/registry.ts"
import { createTurns } from "../../../main/services/turns.ts"
import { openDatabase } from "../../../main/storage/database.ts"
import { prepareDataFolder } from "../../../main/storage/paths.ts"
import type { AppEvent } from "../../../shared/contract/app.ts"
import type { Addition, AdditionOptions } from "../../../shared/schema/addition.ts"
import type { HubModel } from "../../../shared/schema/hub.ts"
import { Settings } from "../../../shared/schema/settings.ts"
import { startHub, type TestHub, type TestHubOptions } from "../../hub/hub.ts"
import { gitHash, isLarge, sha256 } from "../../hub/repository.ts"
import { scratchFolder } from "../scratch.ts"

export async function testHub(options: TestHubOptions): Promise<TestHub> {
  const hub = await startHub(options)
  onTestFinished(() => hub.close())
  return hub
}

/** As the hub's service answers for a repository of the test hub. */
export function hubModelOf(hub: TestHub, name: string, headers: string | null): HubModel {
  const repository = hub.repositories.get(name)
  if (!repository) throw new Error(`there is no ${name}`)
  const { license, downloads, likes, updatedAt, revision } = repository
  const files = [...repository.files].map(([file, content]) => {
    const digest = isLarge(file) ? sha256(content) : gitHash(content)
    return { name: file, bytes: content.length, algorithm: isLarge(file) ? "sha256" : "git-sha1", digest, isCached: false } as const
  })
  const pageUrl = `${hub.endpoint}/${name}`
  const about = { parameters: null, context: null, architecture: null, license, access: repository.access, updatedAt, downloads, likes }
  const gguf = files.find((file) => file.name.endsWith(".gguf"))
  return {
    summary: { name, ...about, kind: gguf ? "gguf" : "safetensors", supported: true, reason: null, best: null, verdict: null },
    ...{ revision, files, variants: [], variant: gguf?.name ?? null, headers, inspection: null, card: "", pageUrl, licenseUrl: null },
  }
}

export interface AddingOptions {
  hub: TestHub | null
  startHost: () => HostProcess
  home?: string
  transfers?: Partial<Transfers>
  settings?: Partial<Settings>
  /** What the hub's service answers; by default everything is open. */
  model?: (name: string) => HubModel
  token?: string
  checkPatience_ms?: number
  /** False: as in a command line beside a running app. */
  isLocked?: boolean
  /** A Hugging Face cache. */
  cache?: string
}

export async function addingService(options: AddingOptions) {
  const { hub, startHost, home = scratchFolder() } = options
  const paths = await prepareDataFolder(home)
  const database = openDatabase(paths.database)
  const engine = startEngine({ spawn: startHost })
  const network = createNetwork({ env: {} })
  const events = createEvents()
  const seen: AppEvent[] = []
  events.subscribe((event) => seen.push(event))
  const registry = createRegistry({ database, events, paths })
  const model = async (name: string): Promise<HubModel> => {
    const plain = name.split("@")[0] ?? ""
    if (options.model) return options.model(plain)
    if (!hub) throw new Error("there is no hub")
    return hubModelOf(hub, plain, await headersOf(hub, plain, join(paths.downloads, "headers")))
  }
  const service = createAdditions({
    ...{ database, events, paths, engine, registry, network, inspect: inspectModel, takeTurn: createTurns() },
    isLocked: options.isLocked ?? true,
    ...(options.checkPatience_ms === undefined ? {} : { checkPatience_ms: options.checkPatience_ms }),
    settings: { get: () => Settings.parse({ threads: 1, ...options.settings }) },
    transfers: { downloadSet, markUsed: useUp, fetchAgain, missingBytes, requireVolumes, spacePerVolume, ...options.transfers },
    hub: {
      model: ({ name }) => model(name),
      sources: (about, files) =>
        hubSources({ endpoint: hub?.endpoint ?? "", token: options.token ?? null }, about, files, options.cache ?? null),
    },
  })
  let isClosed = false
  const close = async () => {
    if (isClosed) return
    isClosed = true
    await service.close()
    await engine.close()
    await network.close()
    database.close()
  }
  onTestFinished(close)
  const call = service.handlers
  const context = { signal: new AbortController().signal, emit: async () => {} }
  return {
    ...{ home, paths, engine, registry, seen, service, close },
    get: (id: string): Addition => {
      const found = service.list().find((addition) => addition.id === id)
      if (!found) throw new Error(`there is no addition ${id}`)
      return found
    },
    fromHub: async (name: string, change: Partial<AdditionOptions> = {}): Promise<Addition> => {
      const source = { kind: "hub", name, revision: "", variant: null } as const
      const addition = await call["additions.create"]({ source }, context)
      return call["additions.update"]({ id: addition.id, options: { ...addition.options, ...change } }, context)
    },
    fromHere: async (path: string, change: Partial<AdditionOptions> = {}): Promise<Addition> => {
      const addition = await call["additions.create"]({ source: { kind: "local", path } }, context)
      return call["additions.update"]({ id: addition.id, options: { ...addition.options, ...change } }, context)
    },
    start: async (id: string) => call["additions.start"]({ id }, context),
    pause: async (id: string) => call["additions.pause"]({ id }, context),
    back: async (id: string) => call["additions.back"]({ id }, context),
    remove: async (id: string) => call["additions.remove"]({ id }, context),
    tensors: async (id: string) => call["additions.tensors"]({ id }, context),
    update: async (id: string, addition: AdditionOptions) => call["additions.update"]({ id, options: addition }, context),
    /** Resolves when nothing works on it any more, or `isReached` says so. */
    async reached(
      id: string,
      isReached: (addition: Addition) => boolean = ({ state }) => !/running|waiting/.test(state),
    ): Promise<Addition> {
      for (;;) {
        const addition = this.get(id)
        if (isReached(addition)) return addition
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
}

/** As the hub's service keeps them: everything but the weights' data. */
async function headersOf(hub: TestHub, name: string, folder: string): Promise<string> {
  const place = join(folder, name.replace("/", "--"))
  mkdirSync(place, { recursive: true })
  const partial = new Map<string, PartialFile>()
  for (const [file, content] of hub.repositories.get(name)?.files ?? []) {
    const length = file.endsWith(".safetensors") ? 8 + Number(content.readBigUInt64LE()) : content.length
    writeFileSync(join(place, file), content.subarray(0, length))
    if (length < content.length) partial.set(file, { bytes: content.length, ranges: [[0, length]] })
  }
  await writePartialFiles(place, partial)
  const gguf = [...(hub.repositories.get(name)?.files.keys() ?? [])].find((file) => file.endsWith(".gguf"))
  return gguf ? join(place, gguf) : place
}
