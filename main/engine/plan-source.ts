// A model as it would be in each format: where its tensors would lie, ready to be planned for any context and set of devices. Works
// from whole models, from headers alone, and from config.json alone; no weights are read.
import type { z } from "zod"
import type { QuantizeOptions } from "../../shared/contract/engine.ts"
import { AppError } from "../../shared/schema/error.ts"
import { Format, QuantizedFormat } from "../../shared/schema/format.ts"
import type { ModelDescription } from "../models/describe.ts"
import { configuredFormat, modelDtype } from "../models/dtype.ts"
import type { ExpectedTensor } from "../models/expected-tensors.ts"
import { inspectionOf } from "../models/inspect.ts"
import { isObject } from "../models/json.ts"
import type { ModelModule } from "../models/modules.ts"
import { quantizeSourceOf } from "../models/quantize-source.ts"
import { type AssignedTensor, assignRoles, nativeTensor } from "../models/roles.ts"
import { type Survey, surveyModel } from "../models/survey.ts"
import { elementCount, formatOf } from "../models/tensors.ts"
import type { EngineAddon, NativePlanner } from "./addon-types.ts"
import { plainDtypes } from "./checkpoint-layout.ts"
import { memoryFootprint } from "./footprint.ts"
import { plannedCheckpoint } from "./plan-checkpoint.ts"
import { planQuantizedModel } from "./plan-quantized.ts"

export type QuantizeChoice = Pick<z.output<typeof QuantizeOptions>, "blockSize" | "skipModules" | "embeddings" | "experts">

/** A model in one format. */
export interface PlanSource {
  planner: NativePlanner
  modules: ModelModule[]
  /** What an adapter can be added to: matrices that are multiplied by. */
  adaptable: { module: string; role: string }[]
  diskBytes: number
  footprintBytes: number
  tensorsQuantized: number
}

export interface PlanModel {
  name: string
  /** The one that it has, then those that it can be given. */
  formats: Format[]
  contextLimit: number
  layers: number
  parameters: number
  /** As `inspect` says it. */
  storedAs: string
  vocabularySize: number
  /** Throws bad_input for a format that it can neither have nor get. */
  open(format: Format, choice: QuantizeChoice): Promise<PlanSource>
}

/** A survey of a model that can run, its weights foreseen where there are none. */
type Known = Survey & { description: ModelDescription; assigned: AssignedTensor[]; isForeseen: boolean }

/** What a format of the model consists of. */
type Candidate = Pick<Known, "description" | "assigned" | "files" | "diskBytes">

/** Throws as openModel does, but not for weights that are missing. */
export async function openPlanModel(addon: EngineAddon, path: string): Promise<PlanModel> {
  const survey = known(withoutText(await surveyModel(path)))
  const { description, assigned } = survey
  const stored = storedFormat(survey)
  const { format: storedAs, can_be_quantized } = inspectionOf(survey)
  const canBeQuantized = can_be_quantized && !QuantizedFormat.safeParse(stored).success
  const formats = canBeQuantized ? [stored, ...QuantizedFormat.options] : [stored]
  return {
    name: survey.name,
    formats,
    contextLimit: description.decoder.maxContext,
    layers: description.decoder.nLayers,
    parameters: description.expected.reduce((sum, { shape }) => sum + (elementCount(shape) ?? 0), 0),
    storedAs,
    vocabularySize: description.decoder.vocabSize,
    async open(format, choice) {
      if (!formats.includes(format)) refuseFormat(survey, format, formats)
      const isAsStored = format === stored && !(survey.isForeseen && isQuantizedFormat(stored))
      if (isAsStored) {
        const tensorsQuantized = assigned.filter((tensor) => tensor.stored.quantized).length
        return { ...planSource(addon, survey, survey), tensorsQuantized }
      }
      const options = quantizeOptions(survey, format, format === stored ? configuredChoice(survey, choice) : choice)
      const quantized = await planQuantizedModel(await quantizeSourceOf(survey), options, addon.info().version)
      return { ...planSource(addon, survey, quantized), tensorsQuantized: quantized.tensorsQuantized }
    },
  }
}

/** A plan is kept, and a vocabulary is large. Of GGUF files it is needed: as a quantized folder they get one of their own. */
function withoutText(survey: Survey): Survey {
  return survey.kind === "gguf" ? survey : { ...survey, tokenizer: { ...survey.tokenizer, load: () => null } }
}

function known(survey: Survey): Known {
  const { description, assigned, reason } = survey
  if (reason !== null) throw new AppError("unsupported", reason)
  if (!description) throw new AppError("internal", `${survey.path} can run, but nothing describes it.`)
  return assigned ? { ...survey, description, assigned, isForeseen: false } : foreseen(survey, description)
}

/** The tensors that config.json asks for, in one file of the type that it says. */
function foreseen(survey: Survey, description: ModelDescription): Known {
  const dtype = plainDtypes[modelDtype(survey.config, null)]
  const entries = description.expected.map((tensor) => {
    const shape = shapeInFile(tensor)
    return { name: tensor.name, dtype: dtype.safetensors, shape, bytes: (elementCount(shape) ?? 0) * dtype.bytes }
  })
  const { files, tensors, fileBytes } = plannedCheckpoint(survey.path, [entries])
  const stored = tensors.map((tensor) => ({ ...tensor, bytes: tensor.data.bytes }))
  const assigned = assignRoles(description, stored, survey.path)
  return { ...survey, description, assigned, files, tensors: stored, diskBytes: survey.diskBytes + fileBytes, isForeseen: true }
}

function shapeInFile({ shape, isTransposed }: ExpectedTensor): number[] {
  return isTransposed ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape
}

function planSource(addon: EngineAddon, survey: Known, { description, assigned, files, diskBytes }: Candidate) {
  const { decoder, modules } = description
  return {
    planner: addon.openPlanner({ source: { files, decoder, tensors: assigned.map(nativeTensor) } }),
    modules,
    adaptable: assigned
      .filter(({ expected: { name, role, shape } }) => shape.length === 2 && name.endsWith(".weight") && !/^(embed|positions)$/.test(role))
      .map(({ expected: { name, role } }) => ({ module: name.replace(/\.weight$/, ""), role })),
    diskBytes,
    footprintBytes: memoryFootprint(assigned, decoder, modelDtype(survey.config, survey.tensors)),
  }
}

const isQuantizedFormat = (format: Format): boolean => QuantizedFormat.safeParse(format).success

/** Of most of the weights that can be quantized, as the engine holds them: blocks of GGUF become fp16, MXFP4 is fp4. */
function storedFormat({ assigned, config, isForeseen }: Known): Format {
  if (isForeseen) return Format.parse(configuredFormat(config))
  const sizes = new Map<Format, number>()
  for (const { stored, expected } of assigned) {
    if (!expected.isLinear && !stored.quantized) continue
    const found = formatOf(stored)
    const format = Format.safeParse(found).data ?? (found === "mxfp4" ? "fp4" : "fp16")
    sizes.set(format, (sizes.get(format) ?? 0) + (elementCount(stored.shape) ?? 0))
  }
  return [...sizes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? Format.parse(configuredFormat(config))
}

function quantizeOptions({ path }: Survey, format: Format, choice: QuantizeChoice): z.output<typeof QuantizeOptions> {
  return { ...choice, path, out: "", format: QuantizedFormat.parse(format), threshold: 6, threads: 0 }
}

/** What a quantized checkpoint says of itself goes before what is wished for others. */
function configuredChoice({ config }: Survey, choice: QuantizeChoice): QuantizeChoice {
  const list = isObject(config.quantization_config) ? config.quantization_config.llm_int8_skip_modules : undefined
  const skipModules = Array.isArray(list) ? list.filter((entry) => typeof entry === "string") : choice.skipModules
  return { blockSize: 64, ...(skipModules ? { skipModules } : {}) }
}

function refuseFormat({ name }: Survey, format: Format, formats: Format[]): never {
  throw new AppError("bad_input", `${name} cannot be had in ${format}; it can be planned in ${formats.join(", ")}.`)
}
