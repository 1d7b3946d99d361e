// Everything that is known of a model without its weights; inspect and open both start from it. What cannot run is no error
// here but a reason; what is damaged is an error.
import { stat } from "node:fs/promises"
import { resolve } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { joinQuantized } from "./bitsandbytes.ts"
import { fileError } from "./bounded-file.ts"
import { architectureName, describeModel, type ModelDescription } from "./describe.ts"
import { hasGgufMagic } from "./find.ts"
import { configPath, readFolder } from "./folder.ts"
import { readTokenizer } from "./folder-tokenizer.ts"
import { refuseForeign } from "./foreign-quantization.ts"
import { readGgufModel } from "./gguf-model.ts"
import { ggufName } from "./gguf-parts.ts"
import { tokenizerFromGguf } from "./gguf-tokenizer.ts"
import { isObject } from "./json.ts"
import { joinMicroscaled } from "./microscaling.ts"
import { folderName, readLicense } from "./name.ts"
import type { TokenizerSource } from "./opened-model.ts"
import { type AssignedTensor, assignRoles } from "./roles.ts"
import type { FileTensor, ModelTensor } from "./tensors.ts"

export interface Survey {
  /** Absolute. */
  path: string
  kind: "folder" | "gguf"
  name: string
  license: string | null
  /** As the file names it: the class, or the GGUF architecture. */
  architecture: string
  config: Record<string, unknown>
  generationConfig: Record<string, unknown> | null
  files: string[]
  diskBytes: number
  /** Null: no weights that could be read. */
  tensors: ModelTensor[] | null
  /** Null: the architecture is not supported. */
  description: ModelDescription | null
  /** Null: no weights, or not supported. */
  assigned: AssignedTensor[] | null
  /** Why it cannot run. */
  reason: string | null
  tokenizer: { kind: string | null; hasChatTemplate: boolean; load(): TokenizerSource | null }
}

export async function surveyModel(givenPath: string): Promise<Survey> {
  const path = resolve(givenPath)
  const about = await stat(givenPath).catch((thrown) => {
    throw fileError(thrown, path)
  })
  if (about.isDirectory()) return surveyFolder(path)
  if (await hasGgufMagic(path)) return surveyGguf(path)
  if (/\.safetensors$/i.test(path)) throw new AppError("bad_input", `${path} is a part of a model.`, "Choose the folder that it is in.")
  if (/\.gguf$/i.test(path)) throw new AppError("bad_file", `${path} is no GGUF file: it does not begin with "GGUF".`)
  throw new AppError("bad_input", `${path} is no model.`, "Choose a folder with config.json and safetensors files, or a GGUF file.")
}

async function surveyFolder(path: string): Promise<Survey> {
  const folder = await readFolder(path)
  const { config, files } = folder
  const reasons = new Reasons()
  const description = await reasons.collect(() => describeModel(config, configPath(path), namesOf(folder.tensors)))
  await reasons.collect(() => refuseForeign(config, folder.tensors))
  if (!folder.tensors && folder.isPickled) reasons.add("Only pickled .bin weights: refused, they can run code.")
  const tensors = folder.tensors && ((await reasons.collect(() => joined(folder.tensors ?? [], files))) ?? asTheyAre(folder.tensors))
  let refusal: AppError | null = null
  const tokenizer = await readTokenizer(path).catch((thrown) => {
    if (!(thrown instanceof AppError) || thrown.code !== "unsupported") throw thrown
    refusal = thrown
    return null
  })
  const model = tokenizer?.json.model
  return {
    path,
    kind: "folder",
    name: folderName(config, path),
    license: await readLicense(path),
    architecture: architectureName(config),
    config,
    generationConfig: folder.generationConfig,
    files,
    diskBytes: folder.diskBytes,
    ...(await match(description, tensors, path, reasons)),
    tokenizer: {
      kind: tokenizer && (isObject(model) && typeof model.type === "string" ? model.type : "unknown"),
      hasChatTemplate: tokenizer?.chatTemplate != null,
      load() {
        if (refusal) throw refusal
        return tokenizer
      },
    },
  }
}

/** Quantized weights and their companions made one. */
async function joined(tensors: FileTensor[], files: string[]): Promise<ModelTensor[]> {
  const microscaled = joinMicroscaled(tensors, files)
  return [...(await joinQuantized(microscaled.rest, files)), ...microscaled.joined]
}

async function surveyGguf(given: string): Promise<Survey> {
  const { files, metadata, architecture, config, generationConfig, tensors, diskBytes, reason } = await readGgufModel(given)
  // Whichever part of a split model was chosen: it is the same model.
  const path = files[0] ?? given
  const reasons = new Reasons()
  if (reason !== null) reasons.add(reason)
  const description = config && (await reasons.collect(() => describeModel(config, path, namesOf(tensors))))
  const text = (key: string) => (typeof metadata[key] === "string" && metadata[key] !== "" ? metadata[key] : null)
  return {
    path,
    kind: "gguf",
    // general.name is often that of a training run; people know a file by its name.
    name: ggufName(path),
    license: text("general.license"),
    architecture,
    config: config ?? {},
    generationConfig,
    files,
    diskBytes,
    ...(await match(description, tensors, path, reasons)),
    tokenizer: {
      kind: text("tokenizer.ggml.model"),
      hasChatTemplate: text("tokenizer.chat_template") !== null,
      load: () => tokenizerFromGguf(metadata),
    },
  }
}

/** Tensors to roles. A checkpoint in an unsupported format is not blamed for shapes that this format has packed. */
async function match(description: ModelDescription | null, tensors: ModelTensor[] | null, path: string, reasons: Reasons) {
  const isReadable = description && tensors && reasons.first === null
  const assigned = isReadable ? await reasons.collect(() => assignRoles(description, tensors, path)) : null
  return { description, tensors, assigned, reason: reasons.first }
}

/** What "unsupported" errors say; the first is shown. */
class Reasons {
  first: string | null = null

  add(reason: string): void {
    this.first ??= reason
  }

  async collect<Result>(work: () => Result | Promise<Result>): Promise<Result | null> {
    try {
      return await work()
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== "unsupported") throw thrown
      this.add(thrown.message)
      return null
    }
  }
}

function namesOf(tensors: { name: string }[] | null): Set<string> | null {
  return tensors && new Set(tensors.map(({ name }) => name))
}

function asTheyAre(tensors: FileTensor[]): ModelTensor[] {
  return tensors.map((tensor) => ({ ...tensor, bytes: tensor.data.bytes }))
}
