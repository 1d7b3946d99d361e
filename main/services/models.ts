// The calls about installed models: what a path holds, adding, removing, loading.
import { basename, dirname, join, resolve } from "node:path"
import type { AppContract, Removal } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { InstalledModel, ModelInspection } from "../../shared/schema/model.ts"
import { snippetsOf } from "../models/snippets.ts"
import { copyFiles, deleteOwned, filesOfModel, makeStaging, placeFolder, removeStaging } from "../storage/model-folders.ts"
import type { DataPaths } from "../storage/paths.ts"
import type { JobContext, Jobs } from "./jobs.ts"
import type { Loader } from "./loading.ts"
import type { Registry } from "./registry.ts"

export type Inspect = (path: string, options?: { withTensors?: boolean }) => Promise<ModelInspection>

/** Models that a job reads from, so that they are not removed under it. */
export interface InUse {
  hold<T>(modelId: string, work: () => Promise<T>): Promise<T>
  has(modelId: string): boolean
}

export function createInUse(): InUse {
  const counts = new Map<string, number>()
  const add = (modelId: string, change: number) => counts.set(modelId, (counts.get(modelId) ?? 0) + change)
  return {
    async hold(modelId, work) {
      add(modelId, 1)
      try {
        return await work()
      } finally {
        add(modelId, -1)
      }
    },
    has: (modelId) => (counts.get(modelId) ?? 0) > 0,
  }
}

export interface ModelsOptions {
  paths: DataPaths
  registry: Registry
  jobs: Jobs
  loader: Loader
  inUse: InUse
  inspect: Inspect
}

type ModelHandlers = Pick<
  Handlers<AppContract>,
  "models.inspect" | "models.import" | "models.remove" | "models.removal" | "models.snippets" | "models.load" | "models.unload"
>

export interface ModelsService {
  handlers: ModelHandlers
  /** Looks again at what could not run: this Nibble may run what an older one could not. */
  renew(): Promise<void>
}

export function createModels({ paths, registry, jobs, loader, inUse, inspect }: ModelsOptions): ModelsService {
  async function copyIn(inspection: ModelInspection, { id, signal, report }: JobContext): Promise<string> {
    const staging = await makeStaging(paths.models, id)
    try {
      const files = await filesOfModel(inspection.path)
      const folder = join(staging, "model")
      await copyFiles(files, folder, {
        signal,
        onProgress: ({ done, total, item }) => report({ phase: "copy", done, total, unit: "bytes", item }),
      })
      const isFile = files[0]?.path === inspection.path
      // What was copied is what counts: the original may have changed meanwhile.
      const copied = await inspect(isFile ? join(folder, basename(inspection.path)) : folder)
      if (!isUsable(copied)) throw unsupported(copied)
      const placed = await placeFolder(folder, paths.models, inspection.name)
      const path = isFile ? join(placed, basename(inspection.path)) : placed
      return registry.add({ inspection: { ...copied, path }, name: inspection.name, source: "local", note: null, isOwned: true }).id
    } finally {
      await removeStaging(staging)
    }
  }

  function usersOf({ id, name }: InstalledModel): Removal["usedBy"] {
    const load = loader.state()
    const loadedId = load.state === "ready" ? load.model.id : load.state === "loading" ? load.modelId : null
    const copies = registry.list().filter(({ source }) => source === `quantized:${id}`)
    return [
      ...(loadedId === id ? [{ kind: "loaded" as const, name }] : []),
      ...(inUse.has(id) ? [{ kind: "job" as const, name }] : []),
      ...copies.map((copy) => ({ kind: "copy" as const, name: `${copy.name} (${copy.format})` })),
    ]
  }

  return {
    async renew() {
      for (const model of registry.list().filter(({ supported }) => !supported)) {
        const inspection = await inspect(model.path).catch(() => null)
        if (inspection?.supported) registry.add({ ...model, inspection })
      }
    },
    handlers: {
      "models.inspect": ({ path, withTensors }) => inspect(resolve(path), { withTensors }),

      async "models.import"({ path, copy }) {
        const inspection = await inspect(resolve(path))
        if (!isUsable(inspection)) throw unsupported(inspection)
        const known = registry.atPath(inspection.path)
        return jobs.start("import", inspection.name, async (context) => {
          if (known?.isOwned) return known.id
          if (copy) return copyIn(inspection, context)
          return registry.add({ inspection, source: "local", note: known?.note ?? null, isOwned: false }).id
        })
      },

      async "models.remove"({ modelId }) {
        const model = registry.get(modelId)
        if (inUse.has(modelId)) throw new AppError("busy", `${model.name} is being read by a job.`, "Cancel the job, or wait for its end.")
        const load = loader.state()
        const isLoaded =
          (load.state === "ready" && load.model.id === modelId) || (load.state !== "none" && "modelId" in load && load.modelId === modelId)
        if (isLoaded) await loader.unload()
        const freedBytes = model.isOwned ? await deleteOwned(paths.models, model.path) : 0
        registry.remove(modelId)
        return { freedBytes }
      },

      async "models.removal"({ modelId }) {
        const model = registry.get(modelId)
        return { freedBytes: model.isOwned ? model.disk_bytes : 0, usedBy: usersOf(model) }
      },
      async "models.snippets"({ modelId }) {
        const model = registry.get(modelId)
        const { chat_template } = await inspect(model.path)
        return snippetsOf(model, chat_template)
      },
      "models.load": ({ modelId, context }, { signal }) => loader.load({ modelId, context, signal }),
      "models.unload": () => loader.unload(),
    },
  }
}

/** What cannot run is taken where it can be quantized: for the folder that comes of it. */
function isUsable({ supported, can_be_quantized }: ModelInspection): boolean {
  return supported || can_be_quantized
}

function unsupported({ reason, path }: ModelInspection): AppError {
  return new AppError("unsupported", reason ?? `${path} cannot be used.`, `It lies in ${dirname(path)}.`)
}
