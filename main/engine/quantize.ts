// Quantizing a model to a bitsandbytes checkpoint folder (bitsandbytes.md 3), as a stream: never more than a part of a tensor is
// in memory. The folder appears when it is complete; until then, and after a failure, there is nothing.
//
// What transformers would keep is kept: of a GGUF file, too, the weights first get the model's 16/32-bit type (QuantizeSource.dtype),
// and are quantized from that.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { z } from "zod"
import type { QuantizeOptions, QuantizeProgress, QuantizeReport } from "../../shared/contract/engine.ts"
import type { CallContext } from "../../shared/rpc.ts"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import { openQuantizeSource, type QuantizeSource } from "../models/quantize-source.ts"
import { requireSpace } from "../storage/free-space.ts"
import type { EngineAddon } from "./addon-types.ts"
import { type PlannedTensor, shardName, splitIntoShards } from "./checkpoint-layout.ts"
import { writeCompanions } from "./companion-files.ts"
import { createOutputFolder, type OutputFolder } from "./output-folder.ts"
import { planQuantization } from "./quantize-plan.ts"
import { pythonJson } from "./quantized-config.ts"
import { writeShard } from "./shard-writer.ts"

type Options = z.output<typeof QuantizeOptions>
type Progress = z.output<typeof QuantizeProgress>

/** As save_pretrained of transformers 5 (before: 5 GB). */
const maxShardBytes = 50e9

export async function quantizeModel(
  addon: EngineAddon,
  options: Options,
  { signal, emit }: CallContext<Progress>,
  shardBytes = maxShardBytes,
): Promise<QuantizeReport> {
  const started = performance.now()
  const source = await openQuantizeSource(options.path)
  signal.throwIfAborted()
  const { tensors, kept } = planQuantization(source, options)
  const quantized = tensors.filter(({ action }) => action.kind === "quantize")
  if (quantized.length === 0) {
    throw new AppError("bad_input", `No linear layer of ${source.name} is left to quantize.`, "Skip fewer modules.")
  }
  const folder = await createOutputFolder(options.out).catch((error) => Promise.reject(explain(error, options.out)))
  try {
    // Headers and the files beside the weights come on top.
    await requireSpace(folder.temporary, bytesOf(tensors) + tensors.length * 1000 + (32 << 20), "The quantized model")
    const writing = performance.now()
    const bytesOut = await writeWeights(addon, source, options, tensors, folder, { signal, emit }, shardBytes)
    const writingSeconds = (performance.now() - writing) / 1000
    await writeCompanions(source, options, folder.temporary, addon.info().version)
    signal.throwIfAborted()
    await folder.complete()
    return {
      out: folder.path,
      format: options.format,
      tensors_quantized: quantized.length,
      tensors_kept: tensors.length - quantized.length,
      kept,
      bytes_in: tensors.reduce((sum, tensor) => sum + tensor.source.data.bytes, 0),
      bytes_out: bytesOut,
      seconds: (performance.now() - started) / 1000,
      // Of the weights alone: reading, encoding and writing them.
      parameters_per_second: parametersOf(quantized) / writingSeconds,
      peak_rss_bytes: addon.info().peakResidentBytes,
    }
  } catch (error) {
    throw explain(error, folder.path)
  } finally {
    await folder.abandon()
  }
}

function parametersOf(tensors: PlannedTensor[]): number {
  return tensors.reduce((sum, { parameters }) => sum + parameters, 0)
}

function bytesOf(tensors: PlannedTensor[]): number {
  return tensors.reduce((sum, { entries }) => sum + entries.reduce((bytes, entry) => bytes + entry.bytes, 0), 0)
}

async function writeWeights(
  addon: EngineAddon,
  source: QuantizeSource,
  options: Options,
  tensors: PlannedTensor[],
  folder: OutputFolder,
  { signal, emit }: CallContext<Progress>,
  shardBytes: number,
): Promise<number> {
  const shards = splitIntoShards(tensors, shardBytes)
  const parametersTotal = parametersOf(tensors.filter(({ action }) => action.kind !== "bytes"))
  const report = throttled(emit)
  const done = { parameters: 0, bytes: 0 }
  let fileBytes = 0
  for (const [index, shard] of shards.entries()) {
    const path = join(folder.temporary, shardName(index, shards.length))
    const onProgress = ({ parametersDone, bytesWritten, tensor }: { parametersDone: number; bytesWritten: number; tensor: string }) =>
      report({ parametersDone: done.parameters + parametersDone, parametersTotal, bytesWritten: done.bytes + bytesWritten, tensor })
    const { files, dtype } = source
    fileBytes += await writeShard({ addon, files, tensors: shard, dtype, path, threads: options.threads, signal, onProgress })
    done.parameters += parametersOf(shard.filter(({ action }) => action.kind !== "bytes"))
    done.bytes += bytesOf(shard)
  }
  if (shards.length > 1) await writeIndex(folder.temporary, shards, parametersOf(tensors))
  return fileBytes
}

async function writeIndex(folder: string, shards: PlannedTensor[][], parameters: number): Promise<void> {
  const names = shards.flatMap((shard, i) => shard.flatMap(({ entries }) => entries.map(({ name }) => [name, shardName(i, shards.length)])))
  const index = { metadata: { total_parameters: parameters, total_size: bytesOf(shards.flat()) }, weight_map: Object.fromEntries(names) }
  await writeFile(join(folder, "model.safetensors.index.json"), pythonJson(index))
}

/** About 20 events a second; each carries the totals, so that those between may be lost. */
function throttled(emit: (progress: Progress) => Promise<void>): (progress: Progress) => void {
  let last = Number.NEGATIVE_INFINITY
  return (progress) => {
    const now = performance.now()
    if (now - last < 50 && progress.parametersDone < progress.parametersTotal) return
    last = now
    void emit(progress)
  }
}

/** Errors of the system say what was done to which file, but not what for. */
function explain(error: unknown, out: string): unknown {
  const systemCode = (error as NodeJS.ErrnoException)?.code
  if (error instanceof AppError || typeof systemCode !== "string" || !/^E[A-Z]+$/.test(systemCode)) return error
  const { code, message } = systemError(error as NodeJS.ErrnoException)
  const hints = {
    no_space: "Free some space, or choose a folder on another disk.",
    no_permission: "Choose a folder that you may write to.",
  }
  return new AppError(code, `The quantized model cannot be written to ${out}: ${message}`, hints[code as keyof typeof hints], {
    cause: error,
  })
}

function systemError(error: NodeJS.ErrnoException) {
  // A limit on the size of files is room that is not there all the same.
  if (error.code === "EFBIG") return { code: "no_space" as const, message: error.message }
  if (error.code === "EEXIST" || error.code === "ENAMETOOLONG") return { code: "bad_input" as const, message: error.message }
  return toErrorData(error)
}
