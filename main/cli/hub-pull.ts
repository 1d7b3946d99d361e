// Brings a repository of the hub into the data folder. Its configuration comes first, so that a model that cannot run is refused before its
// weights are fetched. What a broken download has brought is kept, and the next try goes on from there.
import { mkdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import type { Job } from "../../shared/schema/job.ts"
import type { App } from "../app.ts"
import { missingBytes, requireVolumes } from "../hub/download-space.ts"
import { downloadFiles, filesToFetch, listRepository, modelFiles } from "../hub/hub.ts"
import { inspectModel } from "../models/inspect.ts"
import { folderNameFor, makeStaging, placeFolder, removeStaging } from "../storage/model-folders.ts"

export function pullFromHub({ services, paths }: App, name: string, wantedRevision: string): Job {
  const { jobs, registry } = services
  return jobs.start("pull", name, async ({ id, signal, report }) => {
    const hub = services.hub.current()
    report({ phase: "download", done: 0, total: 0, unit: "bytes", item: name })
    const repository = await listRepository(hub, name, wantedRevision, signal)
    const source = `hub:${name}@${repository.revision}`
    const known = registry.list().find((model) => model.source === source && model.supported)
    if (known) return known.id

    const files = modelFiles(repository)
    const folder = join(paths.downloads, folderNameFor(`${name}-${repository.revision.slice(0, 12)}`))
    await mkdir(folder, { recursive: true })
    // What does not arrive, and why, is more worth knowing than what does.
    const troubles = new Map<string, string>()
    const download = (wanted: typeof files) =>
      downloadFiles(hub, repository, {
        files: wanted,
        folder,
        signal,
        onFile(file) {
          if (file.state === "retrying" && file.error && file.retryAt !== null)
            troubles.set(file.name, nextTry(file.error.message, file.retryAt))
          else troubles.delete(file.name)
        },
        onProgress({ phase, bytesDone, bytesTotal, item }) {
          const [trouble = item] = troubles.values()
          report({ phase, done: bytesDone, total: bytesTotal, unit: "bytes", item: trouble })
        },
      })
    const refuse = async (reason: string | null) => {
      await rm(folder, { recursive: true, force: true })
      throw new AppError("unsupported", reason ?? `${name} cannot be used.`)
    }
    await download(files.filter((file) => file.name === "config.json"))
    const preview = await inspectModel(folder)
    if (!preview.supported) await refuse(preview.reason)

    const toFetch = filesToFetch(hub, repository, files)
    const bytes = await missingBytes(folder, toFetch)
    await requireVolumes(`Downloading ${name}`, [{ folder, bytes, purpose: "download" }])
    await download(files)
    const inspection = await inspectModel(folder)
    if (!inspection.supported) await refuse(inspection.reason)

    const staging = await makeStaging(paths.models, id)
    try {
      const staged = join(staging, "model")
      await rename(folder, staged)
      const shortName = name.slice(name.indexOf("/") + 1)
      const path = await placeFolder(staged, paths.models, shortName)
      return registry.add({ inspection: { ...inspection, path }, name: shortName, source, note: null, isOwned: true }).id
    } finally {
      await removeStaging(staging)
    }
  })
}

function nextTry(reason: string, at: number): string {
  return `${reason} Next try at ${new Date(at).toTimeString().slice(0, 8)}`
}
