// Quantizing installed models: one at a time, into a folder of our own that appears when it is complete.
import { join } from "node:path"
import type { z } from "zod"
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { BlockSize, QuantizedFormat } from "../../shared/schema/format.ts"
import type { InstalledModel, ModelInspection } from "../../shared/schema/model.ts"
import type { Engine } from "../engine/client.ts"
import { requireSpace } from "../storage/free-space.ts"
import { folderNameFor, makeStaging, placeFolder, removeStaging } from "../storage/model-folders.ts"
import type { DataPaths } from "../storage/paths.ts"
import type { JobContext, Jobs } from "./jobs.ts"
import type { Loader } from "./loading.ts"
import type { Inspect, InUse } from "./models.ts"
import type { Registry } from "./registry.ts"
import type { SettingsService } from "./settings.ts"
import type { TakeTurn } from "./turns.ts"

/** What to make of which files. */
export interface QuantizeWish {
  path: string
  name: string
  format: QuantizedFormat
  blockSize?: z.output<typeof BlockSize>
  skipModules?: string[] | undefined
  /** Of embedding and output head; absent: 16 bits. */
  embeddings?: QuantizedFormat | undefined
  /** Of the experts of a mixture; absent: 16 bits. */
  experts?: QuantizedFormat | undefined
  note: string | null
  /** Folder to make it in; a new one with the model's name is made there. */
  into: string
}

export interface QuantizeService {
  /** Returns the folder that it made. Waits while another model is being quantized. */
  run(wish: QuantizeWish, context: JobContext): Promise<string>
  handlers: Pick<Handlers<AppContract>, "models.quantize">
}

export interface QuantizeServiceOptions {
  paths: DataPaths
  engine: Pick<Engine, "client">
  registry: Registry
  jobs: Jobs
  loader: Loader
  settings: SettingsService
  inUse: InUse
  inspect: Inspect
  /** One quantizer at a time. */
  takeTurn: TakeTurn
}

export function createQuantize(options: QuantizeServiceOptions): QuantizeService {
  const { paths, engine, registry, jobs, loader, settings, inUse, inspect, takeTurn } = options

  async function run(wish: QuantizeWish, { signal, report }: JobContext): Promise<string> {
    const { path, name, format, blockSize, skipModules, embeddings, experts, note, into } = wish
    const inspection = await inspect(path)
    await requireSpace(into, expectedBytes(inspection, format), `Quantizing ${name}`)
    const out = join(into, folderNameFor(`${name}-${format}`))
    const onWait = () => report({ phase: "waiting", done: 0, total: 0, unit: "fraction" })
    return takeTurn(signal, onWait, async () => {
      const { threads } = settings.get()
      await engine.client["quantize.run"](
        {
          path,
          out,
          format,
          threads,
          ...(blockSize ? { blockSize } : {}),
          ...(skipModules ? { skipModules } : {}),
          ...(embeddings ? { embeddings } : {}),
          ...(experts ? { experts } : {}),
          ...(note ? { note } : {}),
        },
        ({ parametersDone, parametersTotal, tensor }) =>
          report({ phase: "quantize", done: parametersDone, total: parametersTotal, unit: "parameters", item: tensor }),
        signal,
      )
      return out
    })
  }

  async function quantizeInstalled(
    model: InstalledModel,
    wish: Omit<QuantizeWish, "path" | "name" | "note" | "into">,
    context: JobContext,
  ) {
    const staging = await makeStaging(paths.models, context.id)
    try {
      const note = model.note ?? noteFor(model.format)
      const made = await run({ ...wish, path: model.path, name: model.name, note, into: staging }, context)
      const path = await placeFolder(made, paths.models, `${model.name}-${wish.format}`)
      const inspection = { ...(await inspect(path)), path }
      return registry.add({ inspection, name: model.name, license: model.license, source: `quantized:${model.id}`, note, isOwned: true })
    } finally {
      await removeStaging(staging)
    }
  }

  return {
    run,
    handlers: {
      "models.quantize"({ modelId, loadAfter, ...wish }) {
        const model = registry.get(modelId)
        if (!model.supported && !model.canBeQuantized) throw new AppError("unsupported", model.reason ?? `${model.name} cannot be read.`)
        return jobs.start("quantize", model.name, async (context) => {
          const made = await inUse.hold(modelId, () => quantizeInstalled(model, wish, context))
          if (loadAfter && made.supported) await loadMade(loader, made.id, context)
          return made.id
        })
      },
    },
  }
}

/** Loads what a job has made. The model is there even if that fails: the load state tells, not the job. */
export async function loadMade(loader: Loader, modelId: string, { signal, report }: JobContext): Promise<void> {
  const onProgress = (fraction: number) => report({ phase: "load", done: fraction, total: 1, unit: "fraction" })
  onProgress(0)
  try {
    await loader.load({ modelId, signal, onProgress })
  } catch (thrown) {
    if (signal.aborted) throw thrown
  }
}

const bitsOfBlockTypes: Record<string, number> = { q4_0: 4, q4_1: 4, q4_k: 4, q5_0: 5, q5_1: 5, q5_k: 5, q6_k: 6, q8_0: 8 }

/** Worth knowing of what was quantized before; null for 16- and 32-bit weights. */
export function noteFor(format: string): string | null {
  const bits = bitsOfBlockTypes[format]
  if (bits === undefined) return null
  return `This copy was already ${bits}-bit (${format.toUpperCase()}) before it was quantized here, so it is a little worse than the original.`
}

/** On the safe side: scales of the smallest blocks, and the rest in 16 bit. */
function expectedBytes({ parameters, quantizable_parameters }: ModelInspection, format: QuantizedFormat): number {
  const bytesPerWeight = format === "int8" ? 1.01 : 0.63
  return quantizable_parameters * bytesPerWeight + Math.max(0, parameters - quantizable_parameters) * 2 + (16 << 20)
}
