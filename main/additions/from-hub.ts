// A model of the hub: downloaded, and unless it stays as it is, quantized and checked while its files arrive.
import { basename } from "node:path"
import { QuantizeOptions } from "../../shared/contract/engine.ts"
import { type Addition, AdditionFile } from "../../shared/schema/addition.ts"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import type { QuantizedFormat } from "../../shared/schema/format.ts"
import type { InstalledModel } from "../../shared/schema/model.ts"
import { finishedBefore } from "../engine/quantize-arriving.ts"

import type { DownloadSetRequest, VerifiedFile } from "../hub/download-set.ts"
import { createMeter } from "../services/progress.ts"
import { ArrivingFiles } from "./arriving-files.ts"
import { checkQuality, skipCheck } from "./check.ts"
import type { Environment } from "./environment.ts"
import type { AdditionFolders } from "./folders.ts"
import { placeModel } from "./placing.ts"
import { noteOf, planTo, quantize, quantizeInTurn, quantizeWish } from "./quantizing.ts"

interface Place {
  folders: AdditionFolders
  /** Where the quantized model is made; null: it stays as it is. */
  made: string | null
  signal: AbortSignal
}

export async function addFromHub(environment: Environment, addition: Addition, place: Place): Promise<InstalledModel> {
  const { store } = environment
  const { id, name, options } = addition
  const { folders, made, signal } = place
  await requireFiles(environment, addition)
  store.change(id, { step: "download", state: "running" })
  const gguf = ggufName(store.details(id).files)
  const files = await (made === null || gguf !== null
    ? downloadAll(environment, addition, place)
    : downloadArriving(environment, addition, { ...place, made }))
  const model = gguf === null ? folders.model : (files.find((file) => file.name === gguf)?.path ?? "")
  if (made !== null && gguf !== null) await quantizeDownloaded(environment, addition, { ...place, made }, model)
  const placed = async (kind: "target" | "originalTarget") =>
    placeModel(environment, { id, staged: await folders.gather(files), wanted: name, file: gguf, kind, note: null })
  signal.throwIfAborted()
  if (made === null) return placed("target")
  if (options.keepOriginals) await placed("originalTarget")
  const note = await noteOf(environment, model)
  return placeModel(environment, { id, staged: made, wanted: basename(made), file: null, kind: "target", note })
}

/** The file that stands for the model: of several parts the first. Null: it is a folder of safetensors. */
export function ggufName(files: { name: string }[]): string | null {
  const names = files.map(({ name }) => name).filter((name) => /\.gguf$/i.test(name))
  return names.toSorted()[0] ?? null
}

/** Of a gated model they are not known until its terms are accepted. */
async function requireFiles({ hub, store }: Environment, { id, source }: Addition): Promise<void> {
  const { headers, licenseUrl, pageUrl } = store.details(id)
  if (headers !== null || source.kind !== "hub") return
  const { name, revision, variant } = source
  const model = await hub.model({ name: `${name}@${revision}`, ...(variant ? { variant } : {}) })
  if (model.headers === null) {
    store.change(id, { helpUrl: licenseUrl ?? pageUrl })
    throw new AppError(
      "no_permission",
      `${name} may not be downloaded with the access token that is set, or without one.`,
      "Accept its terms on its page, and enter the access token of the same account in the settings.",
    )
  }
  store.changeDetails(id, { files: model.files, headers: model.headers })
  store.change(id, { path: model.headers, files: model.files.map(waitingFile), helpUrl: null })
}

export function waitingFile({ name, bytes, isCached }: { name: string; bytes: number; isCached: boolean }): AdditionFile {
  return AdditionFile.parse({ name, bytes, done: 0, state: isCached ? "cached" : "waiting", error: null, retryAt: null, attempts: 0 })
}

async function download(
  { hub, transfers, network, store }: Environment,
  { id, source }: Addition,
  request: Pick<DownloadSetRequest, "folder" | "signal" | "admit" | "onVerified">,
): Promise<VerifiedFile[]> {
  if (source.kind !== "hub") throw new AppError("internal", "Only models of the hub are downloaded.")
  const { files, authorization } = await hub.sources(source, store.details(id).files)
  const meter = createMeter()
  try {
    return await transfers.downloadSet({
      ...{ ...request, repository: source.name, revision: source.revision, authorization, network },
      // The small files first: with them the others can be used as they come.
      files: files.toSorted((a, b) => Number(isWeightName(a.name)) - Number(isWeightName(b.name))),
      onFile: (file) => store.progress(id, { files: store.get(id).files.map((known) => (known.name === file.name ? file : known)) }),
      onProgress: ({ phase, bytesDone, bytesTotal, item }) =>
        store.progress(id, { download: meter({ phase, done: bytesDone, total: bytesTotal, unit: "bytes", item }) }),
    })
  } catch (thrown) {
    const { licenseUrl, pageUrl } = store.details(id)
    if (toErrorData(thrown).code === "no_permission") store.change(id, { helpUrl: licenseUrl ?? pageUrl })
    throw thrown
  }
}

const isWeightName = (name: string) => /\.(safetensors|gguf)$/i.test(name)

async function downloadAll(environment: Environment, addition: Addition, { folders, signal, made }: Place): Promise<VerifiedFile[]> {
  const { store, transfers, hub } = environment
  const { id, name, source, options } = addition
  const { files, headers } = store.details(id)
  const missing = source.kind === "hub" ? await transfers.missingBytes(folders.files, (await hub.sources(source, files)).files) : 0
  const plan = made === null ? null : await planTo(environment, id, headers ?? "", options.format as QuantizedFormat)
  await transfers.requireVolumes(`Adding ${name}`, [
    { folder: folders.files, bytes: missing, purpose: "download" },
    ...(plan ? [{ folder: folders.made, bytes: plan.bytes, purpose: "quantized model" }] : []),
  ])
  return download(environment, addition, { folder: folders.files, signal })
}

/** A GGUF file is one piece: it is quantized when it is complete. */
async function quantizeDownloaded(
  environment: Environment,
  addition: Addition,
  { folders, made, signal }: Place & { made: string },
  path: string,
): Promise<void> {
  const { store } = environment
  const { id, options } = addition
  const format = options.format as QuantizedFormat
  store.change(id, { step: "quantize" })
  const { isComplete } = await finishedBefore(QuantizeOptions.parse(quantizeWish(addition, { path, out: made, format })))
  if (!isComplete) await quantizeInTurn(environment, addition, { path, out: made, format, folders, signal })
  await checkQuality(environment, { id, path, files: null, signal })
}

async function downloadArriving(environment: Environment, addition: Addition, place: Place & { made: string }): Promise<VerifiedFile[]> {
  const { store } = environment
  const { id } = addition
  const { folders, made, signal } = place
  const format = addition.options.format as QuantizedFormat
  const { files: known, headers } = store.details(id)
  await folders.reset(headers ?? "")
  const plan = await planTo(environment, id, folders.model, format)
  const finished = await finishedBefore(QuantizeOptions.parse(quantizeWish(addition, { path: folders.model, out: made, format })))
  const isPartUsed = await fetchLost(environment, id, folders, finished.files)
  const madeBytes = finished.isComplete ? 0 : Math.max(0, plan.bytes - finished.bytes)
  const isTight = await checkRoom(environment, addition, folders, madeBytes)

  const stop = new AbortController()
  const inner = AbortSignal.any([signal, stop.signal])
  let failure: { thrown: unknown } | null = null
  const fail = (thrown: unknown) => {
    failure ??= { thrown }
    stop.abort()
  }
  const names = known.map(({ name }) => name)
  const files = new ArrivingFiles({
    ...{ environment, id, folders, isTight, madeBytes, fail, signal: inner, isKeeping: addition.options.keepOriginals },
    weights: names.filter(isWeightName),
    others: names.filter((name) => !isWeightName(name)),
  })
  files.quantizerIsDoneWith(finished.files)
  const checking = beginCheck(environment, id, { files, folders, isPartUsed, signal: inner })
  let here: VerifiedFile[] = []
  const work = [
    (async () => {
      const wish = { folder: folders.files, signal: inner, admit: files.admit.bind(files), onVerified: files.verified.bind(files) }
      here = await download(environment, addition, wish)
      store.change(id, { step: "quantize" })
      files.tellState()
    })(),
    (async () => {
      await files.othersHere
      const onFilesDone = (done: string[], writtenBytes: number) => files.quantizerIsDoneWith(done, writtenBytes - finished.bytes)
      if (!finished.isComplete)
        await quantize(environment, addition, { path: folders.model, out: made, format, folders, signal: inner, onFilesDone })
      files.quantizerIsDoneWith(names)
    })(),
    checking,
  ]
  await Promise.allSettled(work.map((one) => one.catch(fail)))
  if (failure === null) await files.settled()
  if (signal.aborted) throw new AppError("cancelled", "cancelled")
  if (failure !== null) throw (failure as { thrown: unknown }).thrown
  return here
}

/** What was used by a quantizer whose work is lost comes again. Returns whether other files are gone. */
async function fetchLost({ store, transfers }: Environment, id: string, folders: AdditionFolders, finished: string[]): Promise<boolean> {
  const used = store.get(id).files.filter(({ state }) => state === "used")
  const lost = new Set(used.map(({ name }) => name).filter((name) => !finished.includes(name)))
  if (lost.size > 0) {
    await transfers.fetchAgain(folders.files, [...lost])
    const files = store.get(id).files.map((file) => (lost.has(file.name) ? { ...file, done: 0, state: "waiting" as const } : file))
    store.change(id, { files })
  }
  return used.length > lost.size
}

/** Returns whether the originals and what is made of them have no room beside each other. */
async function checkRoom(
  { hub, store, transfers }: Environment,
  { id, name, options, source }: Addition,
  folders: AdditionFolders,
  madeBytes: number,
): Promise<boolean> {
  if (source.kind !== "hub") return false
  const { files } = await hub.sources(source, store.details(id).files)
  const missing = await transfers.missingBytes(folders.files, files)
  const made = { folder: folders.made, bytes: madeBytes, purpose: "quantized model" }
  const all = [{ folder: folders.files, bytes: missing, purpose: "download" }, made]
  const volumes = await transfers.spacePerVolume(all)
  if (volumes.every(({ neededBytes, freeBytes }) => freeBytes >= neededBytes)) return false
  // One weight file at a time is enough.
  const largest = Math.max(0, ...files.filter((file) => isWeightName(file.name)).map(({ bytes }) => bytes))
  const others = files.filter((file) => !isWeightName(file.name)).reduce((sum, { bytes }) => sum + bytes, 0)
  const least = [{ folder: folders.files, bytes: Math.min(missing, largest + others), purpose: "download, one file at a time" }, made]
  await transfers.requireVolumes(`Adding ${name}`, options.keepOriginals ? all : least)
  return !options.keepOriginals
}

async function beginCheck(
  environment: Environment,
  id: string,
  { files, folders, isPartUsed, signal }: { files: ArrivingFiles; folders: AdditionFolders; isPartUsed: boolean; signal: AbortSignal },
): Promise<void> {
  const { options, check } = environment.store.get(id)
  if (!options.check || check.state === "done" || check.state === "skipped") return
  if (isPartUsed) {
    const reason = "A part of the original was deleted when the check was ended before: the disk had no room to keep it."
    return skipCheck(environment, id, reason)
  }
  await checkQuality(environment, { id, path: folders.model, files, signal })
}
