// Quantizing a model to a bitsandbytes checkpoint folder (bitsandbytes.md 3), as a stream: never more than a part of a tensor is
// in memory. The folder appears when it is complete; until then, and after a failure, there is nothing.
//
// What transformers would keep is kept: of a GGUF file, too, the weights first get the model's 16/32-bit type (QuantizeSource.dtype),
// and are quantized from that.
import { join } from "node:path"
import type { z } from "zod"
import type { QuantizeOptions, QuantizeReport } from "../../shared/contract/engine.ts"
import type { CallContext } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import { requireWholeFiles } from "../models/header-folder.ts"
import { openQuantizeSource, type QuantizeSource } from "../models/quantize-source.ts"
import { requireSpace } from "../storage/free-space.ts"
import type { EngineAddon } from "./addon-types.ts"
import { writeIndex } from "./checkpoint-index.ts"
import { shardName, splitIntoShards } from "./checkpoint-layout.ts"
import { writeCompanions } from "./companion-files.ts"
import { createOutputFolder, type OutputFolder } from "./output-folder.ts"
import { planQuantization, type QuantizePlan } from "./quantize-plan.ts"
import {
  bytesOf,
  countedParameters,
  createReporter,
  type Progress,
  parametersOf,
  quantizedOf,
  quantizeReport,
} from "./quantize-progress.ts"
import { writeShard } from "./shard-writer.ts"
import { explainWriting } from "./write-error.ts"

type Options = z.output<typeof QuantizeOptions>

/** As save_pretrained of transformers 5 (before: 5 GB). */
export const maxShardBytes = 50e9

export async function quantizeModel(
  addon: EngineAddon,
  options: Options,
  { signal, emit }: CallContext<Progress>,
  shardBytes = maxShardBytes,
): Promise<QuantizeReport> {
  const started = performance.now()
  const source = await openQuantizeSource(options.path)
  await requireWholeFiles(source.files)
  signal.throwIfAborted()
  const plan = planToQuantize(source, options)
  const { tensors } = plan
  const folder = await createOutputFolder(options.out).catch((error) => Promise.reject(explainWriting(error, options.out)))
  try {
    await requireSpace(folder.temporary, bytesOnDisk(tensors), "The quantized model")
    const writing = performance.now()
    const bytesOut = await writeWeights(addon, source, options, plan, folder, { signal, emit }, shardBytes)
    const writingSeconds = (performance.now() - writing) / 1000
    await writeCompanions(source, options, folder.temporary, addon.info().version)
    signal.throwIfAborted()
    await folder.complete()
    return quantizeReport({
      ...{ out: folder.path, format: options.format, plan, bytesOut },
      seconds: (performance.now() - started) / 1000,
      speed: { parameters: parametersOf(quantizedOf(tensors)), seconds: writingSeconds },
      peakResidentBytes: addon.info().peakResidentBytes,
    })
  } catch (error) {
    throw explainWriting(error, folder.path)
  } finally {
    await folder.abandon()
  }
}

/** Throws bad_input when nothing would be quantized. */
export function planToQuantize(source: QuantizeSource, options: Options): QuantizePlan {
  const plan = planQuantization(source, options)
  if (quantizedOf(plan.tensors).length > 0) return plan
  throw new AppError("bad_input", `No linear layer of ${source.name} is left to quantize.`, "Skip fewer modules.")
}

/** With headers and the files beside the weights. */
export function bytesOnDisk(tensors: QuantizePlan["tensors"]): number {
  return bytesOf(tensors) + tensors.length * 1000 + (32 << 20)
}

async function writeWeights(
  addon: EngineAddon,
  source: QuantizeSource,
  options: Options,
  { tensors }: QuantizePlan,
  folder: OutputFolder,
  { signal, emit }: CallContext<Progress>,
  shardBytes: number,
): Promise<number> {
  const shards = splitIntoShards(tensors, shardBytes)
  const parametersTotal = countedParameters(tensors)
  const reporter = createReporter(emit)
  const done = { parameters: 0, bytes: 0 }
  let fileBytes = 0
  for (const [index, shard] of shards.entries()) {
    const path = join(folder.temporary, shardName(index, shards.length))
    const { files, dtype } = source
    fileBytes += await writeShard({
      ...{ addon, files, tensors: shard, dtype, path, threads: options.threads, withErrors: options.withErrors ?? false, signal },
      onProgress: ({ parametersDone, bytesWritten, ...rest }) =>
        reporter.report({
          ...{ parametersDone: done.parameters + parametersDone, parametersTotal, bytesWritten: done.bytes + bytesWritten },
          ...rest,
        }),
    })
    done.parameters += countedParameters(shard)
    done.bytes += bytesOf(shard)
  }
  reporter.flush()
  if (shards.length > 1) {
    const indexed = shards.map((shard, i) => ({
      file: shardName(i, shards.length),
      names: shard.flatMap(({ entries }) => entries.map(({ name }) => name)),
      bytes: bytesOf(shard),
    }))
    await writeIndex(folder.temporary, indexed, parametersOf(tensors))
  }
  return fileBytes
}
