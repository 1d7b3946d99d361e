// What quantizing a model will make, from its headers alone.
import type { z } from "zod"
import { QuantizeOptions } from "../../shared/contract/engine.ts"
import type { Addition, AdditionOptions } from "../../shared/schema/addition.ts"
import type { QuantizedFormat } from "../../shared/schema/format.ts"
import { bytesOnDisk, planToQuantize } from "../engine/quantize.ts"
import { bytesOf, quantizedOf } from "../engine/quantize-progress.ts"
import { openQuantizeSource } from "../models/quantize-source.ts"

export interface QuantizingPlan {
  /** With headers and the files beside the weights. */
  bytes: number
  /** Names of the tensors that are quantized. */
  tensors: string[]
  kept: Addition["kept"]
}

const examplesShown = 3
const torchNames = { fp32: "float32", fp16: "float16", bf16: "bfloat16" } as const

/** As quantize.run takes it. */
export function quantizeOptions(options: AdditionOptions, format: QuantizedFormat) {
  const { blockSize, skipModules, embeddings, experts, computeDtype, threshold } = options
  return {
    ...{ format, blockSize, threshold },
    ...(skipModules ? { skipModules } : {}),
    ...(embeddings ? { embeddings } : {}),
    ...(experts ? { experts } : {}),
    ...(computeDtype ? { computeDtype: torchNames[computeDtype] } : {}),
  } satisfies Omit<z.input<typeof QuantizeOptions>, "path" | "out">
}

/** Throws as openQuantizeSource does, and for options that leave nothing to quantize. */
export async function planQuantizing(path: string, options: AdditionOptions, format: QuantizedFormat): Promise<QuantizingPlan> {
  const source = await openQuantizeSource(path)
  const { tensors, kept } = planToQuantize(source, QuantizeOptions.parse({ ...quantizeOptions(options, format), path, out: path }))
  const byName = new Map(tensors.map((tensor) => [tensor.source.name, tensor]))
  return {
    bytes: bytesOnDisk(tensors),
    tensors: quantizedOf(tensors).map((tensor) => tensor.source.name),
    kept: kept.map(({ reason, tensors: names }) => ({
      reason,
      tensors: names.length,
      bytes: bytesOf(names.flatMap((name) => byName.get(name) ?? [])),
      examples: names.slice(0, examplesShown),
    })),
  }
}
