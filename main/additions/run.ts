// The work on one addition, from wherever it stands to the installed model. Everything that is finished is on the disk at any moment, so it
// may be ended at any moment.
import { basename, join } from "node:path"
import type { Addition } from "../../shared/schema/addition.ts"
import type { QuantizedFormat } from "../../shared/schema/format.ts"
import type { InstalledModel } from "../../shared/schema/model.ts"
import { folderNameFor } from "../storage/model-folders.ts"
import { checkQuality } from "./check.ts"
import type { Environment } from "./environment.ts"
import { AdditionFolders, exists } from "./folders.ts"
import { addFromHub, ggufName } from "./from-hub.ts"
import { isPlaced, placeModel, sourceText } from "./placing.ts"
import { noteOf, planTo, quantizeInTurn } from "./quantizing.ts"

/** Rejects with "cancelled" when `signal` asks for an end. */
export async function runAddition(environment: Environment, id: string, signal: AbortSignal): Promise<void> {
  const { store, paths } = environment
  const addition = store.get(id)
  const { format } = addition.options
  const folders = new AdditionFolders(paths.downloads, id, addition.name)
  const made = format === "stored" ? null : join(folders.made, folderNameFor(`${addition.name}-${format}`))
  const model = await finish()
  await folders.remove()
  // What was asked for may have failed; what was not asked for is told, too.
  const { check } = store.get(id)
  const skipped = format === "stored" ? "It was not quantized, so there is nothing to compare." : "It was not asked for."
  store.change(id, {
    ...{ step: "done", state: "done", modelId: model.id, error: null, helpUrl: null },
    ...(check.state === "done" || check.state === "skipped" ? {} : { check: { state: "skipped", reason: skipped } }),
  })

  async function finish(): Promise<InstalledModel> {
    // It was ended when the model had its place, but was not on the list.
    const staged = made ?? folders.gathered
    if (await isPlaced(environment, id, staged)) {
      const file = made === null ? ggufName(store.details(id).files) : null
      return placeModel(environment, { id, staged, wanted: basename(staged), file, kind: "target", note: null })
    }
    if (addition.source.kind === "hub") return addFromHub(environment, addition, { folders, made, signal })
    return addFromHere(environment, addition, { folders, made, signal })
  }
}

/** A folder or GGUF file of this computer: it stays where it is. */
async function addFromHere(
  environment: Environment,
  addition: Addition,
  { folders, made, signal }: { folders: AdditionFolders; made: string | null; signal: AbortSignal },
): Promise<InstalledModel> {
  const { registry, inspect, store, transfers } = environment
  const { id, options, path, name, license, source } = addition
  const register = async () =>
    registry.add({ inspection: await inspect(path), name, license, source: sourceText(source), note: null, isOwned: false })
  if (made === null) return register()
  const format = options.format as QuantizedFormat
  store.change(id, { step: "quantize", state: "running" })
  const plan = await planTo(environment, id, path, format)
  if (!(await exists(made))) {
    await transfers.requireVolumes(`Quantizing ${name}`, [{ folder: folders.made, bytes: plan.bytes, purpose: "quantized model" }])
    await quantizeInTurn(environment, addition, { path, out: made, format, folders, signal })
  }
  await checkQuality(environment, { id, path, files: null, signal })
  if (options.keepOriginals) await register()
  const note = await noteOf(environment, path)
  return placeModel(environment, { id, staged: made, wanted: basename(made), file: null, kind: "target", note })
}
