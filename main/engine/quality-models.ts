// What is compared: a model as it is stored, and formats of it with the very numbers that a folder quantized from it would hold.
import type { z } from "zod"
import type { QualityOptions } from "../../shared/contract/engine.ts"
import { Format, type QuantizedFormat } from "../../shared/schema/format.ts"
import { configuredFormat, configuredThreshold } from "../models/dtype.ts"
import { requireWholeFiles } from "../models/header-folder.ts"
import { openModel } from "../models/open.ts"
import type { OpenedModel } from "../models/opened-model.ts"
import { openQuantizeSource } from "../models/quantize-source.ts"
import type { NativeEvaluateOptions, NativeTensor, PlainDtype } from "./addon-types.ts"
import { planToQuantize } from "./quantize.ts"

type Options = z.output<typeof QualityOptions>

export interface ComparedModel {
  format: Format
  native: NativeEvaluateOptions["models"][number]
}

export interface Comparison {
  /** Whose tokenizer reads the text: the original, where it has one. */
  reader: OpenedModel
  /** The original first. */
  models: ComparedModel[]
}

/** Throws as openModel does, and as quantizing to one of the formats would. */
export async function openComparison(options: Options): Promise<Comparison> {
  const original = await openModel(options.path)
  const other = options.other === undefined ? null : await openModel(options.other)
  // Those of a download that runs come while it is measured.
  if (!options.isArriving) await requireWholeFiles([...original.files, ...(other?.files ?? [])])
  const formats = await Promise.all(options.formats.map((format) => inFormat(other ?? original, format, options)))
  const compared = other && formats.length === 0 ? [asStored(other)] : formats
  return { reader: !original.tokenizer && other ? other : original, models: [asStored(original), ...compared] }
}

function asStored(opened: OpenedModel): ComparedModel {
  return { format: formatOf(opened), native: { source: opened.source, threshold: configuredThreshold(opened.config) } }
}

const plainFormats: Record<PlainDtype, Format> = { f32: "fp32", f16: "fp16", bf16: "bf16" }

/** In what it runs: block types of GGUF are decoded. */
function formatOf({ inspection, config, dtype }: OpenedModel): Format {
  const known = [inspection.format, configuredFormat(config)].map((name) => Format.safeParse(name)).find(({ success }) => success)
  return known?.data ?? plainFormats[dtype]
}

async function inFormat(opened: OpenedModel, format: Format, options: Options): Promise<ComparedModel> {
  const plain = (["f32", "f16", "bf16"] as const).find((dtype) => plainFormats[dtype] === format)
  const change = plain ? () => ({ dtype: plain }) : await changesOf(opened.path, format as QuantizedFormat, options)
  const tensors = opened.source.tensors.map((tensor) => (tensor.quantized ? tensor : { ...tensor, ...change(tensor) }))
  return { format, native: { source: { ...opened.source, tensors }, threshold: options.threshold } }
}

/** What quantizing does to each tensor. */
async function changesOf(path: string, format: QuantizedFormat, options: Options) {
  const { blockSize, skipModules, embeddings, experts, threshold } = options
  const source = await openQuantizeSource(path)
  const plan = planToQuantize(source, {
    ...{ path, out: "", format, blockSize, threshold, threads: 0 },
    ...(skipModules ? { skipModules } : {}),
    ...(embeddings ? { embeddings } : {}),
    ...(experts ? { experts } : {}),
  })
  const actions = new Map(plan.tensors.map((tensor) => [tensor.source.name, tensor.action]))
  return ({ name }: NativeTensor): Pick<NativeTensor, "dtype" | "quantize"> => {
    const action = actions.get(name)
    if (action?.kind === "quantize") return { dtype: source.dtype, quantize: action.spec }
    return action?.kind === "copy" ? { dtype: action.dtype } : {}
  }
}
