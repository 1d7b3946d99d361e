// Opens a model to be quantized: anything in safetensors, whether or not it can run here, and GGUF files that can.
import { AppError } from "../../shared/schema/error.ts"
import { joinQuantized } from "./bitsandbytes.ts"
import { modelDtype } from "./dtype.ts"
import { refuseForeign, refuseMethod } from "./foreign-quantization.ts"
import { type TensorPart, tensorParts } from "./linear-layers.ts"
import type { TokenizerSource } from "./opened-model.ts"
import { type Survey, surveyModel } from "./survey.ts"
import type { ModelTensor } from "./tensors.ts"

/** A tensor as the file holds it, and what it is in the model. */
export interface SourceTensor extends ModelTensor {
  part: TensorPart
}

export interface QuantizeSource
  extends Pick<Survey, "path" | "kind" | "name" | "license" | "architecture" | "config" | "generationConfig" | "files"> {
  /** Of the 16/32-bit weights as transformers would load them. */
  dtype: "f32" | "f16" | "bf16"
  /** Those that the model uses, as far as that is known; sorted by name. */
  tensors: SourceTensor[]
  /** Why the model cannot run here, as a whole sentence; null when it can. */
  reason: string | null
  tokenizer: TokenizerSource | null
}

/** Throws as inspectModel does, and for what cannot be quantized: "unsupported" with the reason, bad_input for what is quantized already. */
export async function openQuantizeSource(path: string): Promise<QuantizeSource> {
  return quantizeSourceOf(await surveyModel(path))
}

/** Throws as openQuantizeSource. */
export async function quantizeSourceOf(survey: Survey): Promise<QuantizeSource> {
  const tensors = await usableTensors(survey)
  refuseQuantized(survey, tensors)
  const parts = tensorParts(survey.config, tensors)
  return {
    path: survey.path,
    kind: survey.kind,
    name: survey.name,
    license: survey.license,
    architecture: survey.description?.decoder.architecture ?? survey.architecture,
    config: survey.config,
    generationConfig: survey.generationConfig,
    dtype: modelDtype(survey.config, survey.tensors),
    files: survey.files,
    tensors: tensors
      .map((tensor) => ({ ...tensor, part: parts.get(tensor.name) as TensorPart }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    reason: survey.reason,
    tokenizer: survey.kind === "gguf" ? survey.tokenizer.load() : null,
  }
}

async function usableTensors({ path, kind, config, files, tensors, assigned, reason }: Survey): Promise<ModelTensor[]> {
  if (tensors && kind === "folder") {
    refuseForeign(config, tensors as Parameters<typeof refuseForeign>[1])
    // What it refuses has become a reason among others by now.
    if (reason !== null) await joinQuantized(tensors, files)
  } else if (reason !== null) throw new AppError("unsupported", reason)
  if (!tensors) {
    throw new AppError(
      "not_found",
      `${path} has no weights: there is no model.safetensors in it.`,
      "Download the weights into this folder.",
    )
  }
  if (!assigned) return tensors
  const used = new Set(assigned.map(({ stored }) => stored.name))
  return tensors.filter(({ name }) => used.has(name))
}

function refuseQuantized({ name }: Survey, tensors: ModelTensor[]): void {
  const tensor = tensors.find(({ quantized }) => quantized)
  if (!tensor) return
  if (tensor.quantized?.isMicroscaling) refuseMethod("mxfp4", tensor.name)
  throw new AppError(
    "bad_input",
    `${name} is already quantized by bitsandbytes (${tensor.name} is ${tensor.quantized?.format}): quantizing it again would add a second loss to the first.`,
    "Choose the 16-bit model that it was made from.",
  )
}
