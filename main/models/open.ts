// Opens a model: everything that the engine host needs to plan, load, quantize and talk to it. Weights stay in their files.
import { AppError } from "../../shared/schema/error.ts"
import { modelDtype } from "./dtype.ts"
import { inspectionOf } from "./inspect.ts"
import type { OpenedModel } from "./opened-model.ts"
import { nativeTensor } from "./roles.ts"
import { stopTokens } from "./stop-tokens.ts"
import { surveyModel } from "./survey.ts"

/** Throws AppError as inspectModel does, and "unsupported" with the reason for what cannot run. */
export async function openModel(path: string): Promise<OpenedModel> {
  const survey = await surveyModel(path)
  const { description, assigned, config, generationConfig, files } = survey
  if (survey.reason !== null) throw new AppError("unsupported", survey.reason)
  if (!description || !assigned) {
    throw new AppError(
      "not_found",
      `${survey.path} has no weights: there is no model.safetensors in it.`,
      "Download the weights into this folder.",
    )
  }
  const { decoder } = description
  const tokenizer = survey.tokenizer.load()
  return {
    path: survey.path,
    kind: survey.kind,
    name: survey.name,
    architecture: decoder.architecture,
    config,
    generationConfig,
    dtype: modelDtype(config, survey.tensors),
    files,
    tensors: assigned.map(({ stored }) => stored),
    decoder,
    tokenizer,
    stopTokens: stopTokens([generationConfig, config], tokenizer, decoder.vocabSize),
    inspection: inspectionOf(survey, { withTensors: true }),
    source: { files, decoder, tensors: assigned.map(nativeTensor) },
  }
}
