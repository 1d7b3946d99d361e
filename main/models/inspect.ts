// What a folder or file is, without loading weights: also of models that cannot run, and of a folder with only config.json.
import type { ModelInspection } from "../../shared/schema/model.ts"

import { configuredFormat, modelDtype } from "./dtype.ts"
import type { ExpectedTensor } from "./expected-tensors.ts"
import { refuseForeign } from "./foreign-quantization.ts"
import { isObject } from "./json.ts"
import { type TensorPart, tensorParts } from "./linear-layers.ts"
import { type Survey, surveyModel } from "./survey.ts"
import { elementCount, formatOf, type ModelTensor } from "./tensors.ts"

/** Throws AppError: not_found, no_permission, bad_input for what is no model, bad_file for what is damaged. */
export async function inspectModel(path: string, options: { withTensors?: boolean } = {}): Promise<ModelInspection> {
  return inspectionOf(await surveyModel(path), options)
}

export function inspectionOf(survey: Survey, options: { withTensors?: boolean } = {}): ModelInspection {
  const { description, config, tokenizer } = survey
  const expected = description?.expected ?? []
  return {
    path: survey.path,
    name: survey.name,
    architecture: survey.architecture,
    supported: survey.reason === null,
    reason: survey.reason,
    can_be_quantized: canBeQuantized(survey),
    format: linearFormat(survey),
    parameters: sumOfElements(description ? expected : (survey.tensors ?? [])),
    quantizable_parameters: description ? sumOfElements(expected.filter(({ isLinear }) => isLinear)) : sumOfParts(survey, "linear"),
    expert_parameters: sumOfParts(survey, "experts"),
    layers: description?.decoder.nLayers ?? countIn(config, "num_hidden_layers"),
    context_length: description?.decoder.maxContext ?? countIn(config, "max_position_embeddings"),
    disk_bytes: survey.diskBytes,
    tokenizer: tokenizer.kind,
    chat_template: tokenizer.hasChatTemplate,
    license: survey.license,
    ...(options.withTensors ? { tensors: tensorInfos(survey) } : {}),
  }
}

/** As openQuantizeSource refuses, without reading any weights. */
function canBeQuantized(survey: Survey): boolean {
  const { kind, tensors, reason } = survey
  if (!tensors || tensors.some(({ quantized }) => quantized)) return false
  if (reason === null) return true
  if (kind !== "folder" || isForeign(survey)) return false
  const parts = tensorParts(survey.config, tensors)
  const layers = tensors.filter(({ name }) => /^(linear|experts)$/.test(parts.get(name)?.kind ?? ""))
  return layers.some((tensor) => /^(fp32|fp16|bf16)$/.test(formatOf(tensor)))
}

/** Layouts of bitsandbytes that cannot be read stand in config.json, those of other tools there or in the names of tensors. */
function isForeign({ config, tensors }: Survey): boolean {
  if (isObject(config.quantization_config)) return true
  try {
    refuseForeign(config, tensors as Parameters<typeof refuseForeign>[1])
    return false
  } catch {
    return true
  }
}

function linearFormat({ assigned, tensors, config }: Survey): string {
  if (!tensors) return configuredFormat(config)
  const linears = assigned
    ? assigned.filter(({ stored, expected }) => expected.isLinear || stored.quantized).map(({ stored }) => stored)
    : tensors.filter(({ name, shape }) => shape.length >= 2 && !/(embed|embd|lm_head|^output\.weight$)/.test(name))
  const formats = new Set(linears.map(formatOf))
  return formats.size > 1 ? "mixed" : ([...formats][0] ?? configuredFormat(config))
}

/** By names and shapes alone, so also of models that cannot run. */
function sumOfParts({ config, tensors }: Survey, kind: TensorPart["kind"]): number {
  const parts = tensorParts(config, tensors ?? [])
  return sumOfElements((tensors ?? []).filter(({ name }) => parts.get(name)?.kind === kind))
}

function sumOfElements(tensors: { shape: number[] }[]): number {
  return tensors.reduce((sum, { shape }) => sum + (elementCount(shape) ?? 0), 0)
}

/** A whole number of config.json; 0 where there is none. */
function countIn(config: Record<string, unknown>, key: string): number {
  const value = config[key]
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0
}

type TensorInfo = NonNullable<ModelInspection["tensors"]>[number]

function tensorInfos({ tensors, description, config }: Survey): TensorInfo[] {
  if (tensors) return tensors.map(storedInfo)
  return (description?.expected ?? []).map((tensor) => derivedInfo(tensor, modelDtype(config, null)))
}

function storedInfo(tensor: ModelTensor): TensorInfo {
  const { name, shape, dtype, bytes } = tensor
  return { name, shape, dtype, format: formatOf(tensor), bytes }
}

/** Of a folder without weights: as they would lie in a file of the configured dtype. */
function derivedInfo({ name, shape }: ExpectedTensor, dtype: "f32" | "f16" | "bf16"): TensorInfo {
  const bytes = (elementCount(shape) ?? 0) * (dtype === "f32" ? 4 : 2)
  return { name, shape, dtype: dtype.toUpperCase(), format: formatOf({ dtype, encoding: dtype }), bytes }
}
