// Quantizing a model whose weights are still coming: one file is written for each file that is read, in whatever order they come, and
// what is written stays when this ends, for the next call with the same options. A source file may be deleted as soon as "filesDone" names
// it: its header is enough to go on later.
import { createHash } from "node:crypto"
import { basename, join } from "node:path"
import type { z } from "zod"
import type { QuantizeOptions, QuantizeReport } from "../../shared/contract/engine.ts"
import type { CallContext } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import { openQuantizeSource, type QuantizeSource } from "../models/quantize-source.ts"
import { readSafetensors } from "../models/safetensors.ts"
import { requireSpace } from "../storage/free-space.ts"
import type { EngineAddon } from "./addon-types.ts"
import type { Arrivals, AwaitedFile } from "./arrivals.ts"
import { writeIndex } from "./checkpoint-index.ts"
import { type PlannedTensor, shardName } from "./checkpoint-layout.ts"
import { writeCompanions } from "./companion-files.ts"
import { bytesOnDisk, planToQuantize } from "./quantize.ts"
import type { QuantizePlan } from "./quantize-plan.ts"
import {
  bytesOf,
  countedParameters,
  createReporter,
  type Progress,
  parametersOf,
  quantizedOf,
  quantizeReport,
} from "./quantize-progress.ts"
import { openResumableFolder, peekResumableFolder, type ResumableFolder } from "./resumable-folder.ts"
import { writeShard } from "./shard-writer.ts"
import { explainWriting } from "./write-error.ts"

type Options = z.output<typeof QuantizeOptions>

/** A file of the source, and the file that its tensors become. */
interface Shard extends AwaitedFile {
  source: string
  file: string
  tensors: PlannedTensor[]
}

export async function quantizeArriving(
  addon: EngineAddon,
  arrivals: Arrivals,
  options: Options,
  { signal, emit }: CallContext<Progress>,
): Promise<QuantizeReport> {
  const started = performance.now()
  const source = await openQuantizeSource(options.path)
  signal.throwIfAborted()
  const plan = planToQuantize(source, options)
  const shards = shardsOf(source, plan)
  const explained = (error: unknown) => Promise.reject(explainWriting(error, options.out))
  const folder = await openResumableFolder(options.out, digestOf(source, plan, options)).catch(explained)
  try {
    const left = shards.filter(({ file }) => !folder.finished.some((finished) => finished.file === file))
    await requireSpace(folder.temporary, bytesOnDisk(left.flatMap(({ tensors }) => tensors)), "The quantized model")
    const seconds = await writeShards({ addon, arrivals, source, options, shards, left, folder, signal, emit })
    await completeFolder(addon, source, options, { plan, shards, folder, signal })
    return quantizeReport({
      ...{ out: folder.path, format: options.format, plan },
      bytesOut: folder.finished.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
      seconds: (performance.now() - started) / 1000,
      speed: { parameters: parametersOf(quantizedOf(left.flatMap(({ tensors }) => tensors))), seconds },
      peakResidentBytes: addon.info().peakResidentBytes,
    })
  } catch (error) {
    throw explainWriting(error, folder.path)
  }
}

/** What an earlier call with these options has finished: source files, and the bytes that were made of them. */
export async function finishedBefore(options: Options): Promise<{ files: string[]; bytes: number; isComplete: boolean }> {
  const source = await openQuantizeSource(options.path)
  const finished = await peekResumableFolder(options.out, digestOf(source, planToQuantize(source, options), options))
  if (finished === null) return { files: source.files.map((path) => basename(path)), bytes: 0, isComplete: true }
  const bytes = finished.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
  return { files: finished.map((file) => file.source), bytes, isComplete: false }
}

/** In the order of the source's files; those from which nothing is taken are no shards. */
function shardsOf({ files }: QuantizeSource, { tensors }: QuantizePlan): Shard[] {
  const groups = files
    .map((path, index) => ({ path, tensors: tensors.filter(({ source }) => source.data.file === index) }))
    .filter((group) => group.tensors.length > 0)
  return groups.map(({ path, tensors }, i) => ({
    ...{ path, tensors, source: basename(path), file: shardName(i, groups.length) },
    bytes: tensors.reduce((end, { source: { data } }) => Math.max(end, data.offset + data.bytes), 0),
  }))
}

/** Raised when the bytes that are written change. */
const version = 1

/** Of everything that the shards depend on; the rest of the options stands in config.json and in the card only. */
function digestOf(source: QuantizeSource, { tensors }: QuantizePlan, { withErrors }: Options): string {
  const parts = tensors.map(({ source: { name, dtype, shape, data, encoding }, action, entries }) => [
    ...[name, dtype, shape, encoding, data.offset, data.bytes, basename(source.files[data.file] ?? ""), action],
    entries.map((entry) => entry.name),
  ])
  const text = JSON.stringify([version, source.path, source.dtype, withErrors === true, parts])
  return createHash("sha256").update(text).digest("hex")
}

interface Work extends CallContext<Progress> {
  addon: EngineAddon
  arrivals: Arrivals
  source: QuantizeSource
  options: Options
  shards: Shard[]
  left: Shard[]
  folder: ResumableFolder
}

/** Returns the seconds that writing took, without those of waiting. */
async function writeShards(work: Work): Promise<number> {
  const { arrivals, source, shards, folder, signal, emit } = work
  const used = new Set(shards.map((shard) => shard.path))
  const filesDone = source.files.filter((path) => !used.has(path)).map((path) => basename(path))
  filesDone.push(...folder.finished.map((finished) => finished.source))
  const parametersTotal = countedParameters(shards.flatMap(({ tensors }) => tensors))
  const isLeft = new Set(work.left)
  const done = { parameters: countedParameters(shards.filter((shard) => !isLeft.has(shard)).flatMap(({ tensors }) => tensors)), bytes: 0 }
  done.bytes = folder.finished.reduce((sum, { dataBytes }) => sum + dataBytes, 0)
  const reporter = createReporter(emit)
  const report = (progress: Omit<Progress, "parametersTotal" | "filesDone">) =>
    reporter.report({ ...progress, parametersTotal, filesDone: [...filesDone] })
  // What is needed no more is known before anything is waited for.
  const errorsBefore = folder.finished.flatMap(({ errors }) => errors)
  report({
    parametersDone: done.parameters,
    bytesWritten: done.bytes,
    tensor: "",
    ...(errorsBefore.length > 0 ? { errors: errorsBefore } : {}),
  })
  let seconds = 0
  while (isLeft.size > 0) {
    const shard = await arrivals.next([...isLeft], signal)
    await checkArrived(shard)
    const started = performance.now()
    let last = ""
    const finished = await writeOne(work, shard, ({ parametersDone, bytesWritten, tensor, errors }) => {
      last = tensor
      report({ parametersDone: done.parameters + parametersDone, bytesWritten: done.bytes + bytesWritten, tensor, errors })
    })
    seconds += (performance.now() - started) / 1000
    isLeft.delete(shard)
    filesDone.push(shard.source)
    done.parameters += countedParameters(shard.tensors)
    done.bytes += finished.dataBytes
    report({ parametersDone: done.parameters, bytesWritten: done.bytes, tensor: last })
    reporter.flush()
  }
  return seconds
}

type ShardProgress = Parameters<Parameters<typeof writeShard>[0]["onProgress"]>[0]

async function writeOne({ addon, source, options, folder, signal }: Work, shard: Shard, onProgress: (progress: ShardProgress) => void) {
  const errors: ShardProgress["errors"] = []
  // The others may not be there: only this one is opened.
  const tensors = shard.tensors.map((tensor) => ({ ...tensor, source: { ...tensor.source, data: { ...tensor.source.data, file: 0 } } }))
  const fileBytes = await writeShard({
    ...{ addon, tensors, files: [shard.path], dtype: source.dtype, path: join(folder.temporary, shard.file) },
    ...{ threads: options.threads, withErrors: options.withErrors ?? false, signal },
    onProgress: (progress) => {
      errors.push(...progress.errors)
      onProgress(progress)
    },
  })
  const finished = { file: shard.file, source: shard.source, fileBytes, dataBytes: bytesOf(shard.tensors), errors }
  await folder.finish(finished)
  return finished
}

/** The plan was made from a header that came before the file, and nobody has checked its hash. */
async function checkArrived({ path, tensors }: Shard): Promise<void> {
  if (!path.endsWith(".safetensors")) return
  const found = new Map((await readSafetensors(path)).tensors.map((tensor) => [tensor.name, tensor]))
  const other = tensors.find(({ source: { name, dtype, data } }) => {
    const tensor = found.get(name)
    return tensor?.dtype !== dtype || tensor.data.offset !== data.offset || tensor.data.bytes !== data.bytes
  })
  if (!other) return
  const sentence = `${path} is not the file that its header promised: tensor ${other.source.name} lies elsewhere in it.`
  throw new AppError("bad_file", sentence, "Remove it and add the model again.")
}

async function completeFolder(
  addon: EngineAddon,
  source: QuantizeSource,
  options: Options,
  { plan, shards, folder, signal }: { plan: QuantizePlan; shards: Shard[]; folder: ResumableFolder; signal: AbortSignal },
): Promise<void> {
  if (shards.length > 1) {
    const indexed = shards.map(({ file, tensors }) => ({
      file,
      names: tensors.flatMap(({ entries }) => entries.map(({ name }) => name)),
      bytes: folder.finished.find((finished) => finished.file === file)?.dataBytes ?? 0,
    }))
    await writeIndex(folder.temporary, indexed, parametersOf(plan.tensors))
  }
  await writeCompanions(source, options, folder.temporary, addon.info().version)
  signal.throwIfAborted()
  await folder.complete()
}
