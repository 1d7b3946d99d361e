// A GGUF file as a model: its metadata as the config.json that transformers would have, its tensors under transformers' names.
import { AppError } from "../../shared/schema/error.ts"
import { describeModel } from "./describe.ts"
import type { GgufValue } from "./gguf.ts"
import { type GgufArchitecture, GgufDescription, ggufArchitectures } from "./gguf-architectures.ts"
import { namesByRole, roleOfGguf } from "./gguf-names.ts"
import { type GgufParts, readGgufParts } from "./gguf-parts.ts"
import { longropeScaling, readFreqFactors, ropeScaling } from "./gguf-rope.ts"
import { checked } from "./json.ts"
import type { FileTensor, ModelTensor } from "./tensors.ts"

const freqFactorsName = "rope_freqs.weight"
/** Of longrope: for texts up to the original context, and for longer ones. */
const shortFactorsName = "rope_factors_short.weight"
const longFactorsName = "rope_factors_long.weight"

export interface GgufModel {
  /** One, or the parts of a split model in their order. */
  files: string[]
  metadata: Record<string, GgufValue>
  /** general.architecture. */
  architecture: string
  /** Null: an architecture that is not known; `reason` says so. */
  config: Record<string, unknown> | null
  generationConfig: Record<string, unknown> | null
  tensors: ModelTensor[]
  reason: string | null
  diskBytes: number
}

export async function readGgufModel(path: string): Promise<GgufModel> {
  const file = await readGgufParts(path)
  const { files, metadata, diskBytes } = file
  const architecture = metadata["general.architecture"]
  if (typeof architecture !== "string") throw new AppError("bad_file", `${path} does not say its architecture (general.architecture).`)
  const base = { files, metadata, architecture: architecture.slice(0, 100), diskBytes }
  const untranslated = file.tensors.map((tensor) => ({ ...tensor, bytes: tensor.data.bytes }))
  try {
    const known = Object.hasOwn(ggufArchitectures, architecture) ? ggufArchitectures[architecture] : undefined
    if (!known) throw new AppError("unsupported", `Architecture \`${base.architecture}\` is not supported yet.`)
    const config = await configOf(path, file, architecture, known)
    return { ...base, ...config, tensors: modelTensors(path, file.tensors, known, config.config), reason: null }
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "unsupported") throw thrown
    return { ...base, config: null, generationConfig: null, tensors: untranslated, reason: thrown.message }
  }
}

async function configOf(path: string, { files, metadata, tensors }: GgufParts, architecture: string, known: GgufArchitecture) {
  const what = `${path}: metadata ${architecture}`
  const description = checked(GgufDescription, describedValues(metadata, architecture), what)
  if (description.expert_count > 0)
    throw new AppError("unsupported", `Mixtures of experts (${description.expert_count}) are not supported yet.`)
  const { headDim, rotaryDim } = headWidths(description, known, what)
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const factorsOf = async (name: string) => {
    const tensor = byName.get(name)
    return tensor ? await readFreqFactors(files[tensor.data.file] ?? path, tensor, rotaryDim) : null
  }
  const theta = shortest(description["rope.freq_base"])
  const rope = {
    theta,
    headDim,
    contextLength: description.context_length,
    scalingType: description["rope.scaling.type"],
    factor: description["rope.scaling.factor"],
    originalContext: description["rope.scaling.original_context_length"],
    attentionFactor: description["rope.scaling.attn_factor"],
  }
  const [factors, short, long] = [await factorsOf(freqFactorsName), await factorsOf(shortFactorsName), await factorsOf(longFactorsName)]
  const scaling = short && long ? longropeScaling(rope, short, long) : ropeScaling(rope, factors)
  const epsilon = description["attention.layer_norm_rms_epsilon"] ?? description["attention.layer_norm_epsilon"]
  if (epsilon === undefined) throw new AppError("bad_file", `${what} lacks attention.layer_norm_rms_epsilon.`)
  const config = {
    attention_bias: byName.has("blk.0.attn_q.bias"),
    mlp_bias: byName.has("blk.0.ffn_gate.bias"),
    head_dim: headDim,
    hidden_act: "silu",
    hidden_size: description.embedding_length,
    intermediate_size: description.feed_forward_length,
    max_position_embeddings: description.context_length,
    num_attention_heads: description["attention.head_count"],
    num_hidden_layers: description.block_count,
    num_key_value_heads: description["attention.head_count_kv"] ?? description["attention.head_count"],
    [description["attention.layer_norm_rms_epsilon"] === undefined ? "layer_norm_eps" : "rms_norm_eps"]: shortest(epsilon),
    ...(rotaryDim === headDim ? {} : { partial_rotary_factor: rotaryDim / headDim }),
    rope_scaling: scaling,
    rope_theta: theta,
    tie_word_embeddings: !byName.has("output.weight"),
    torch_dtype: dtypeOf(tensors),
    vocab_size: vocabularySize(path, metadata, byName.get("token_embd.weight")),
    ...tokenIds(metadata),
    ...known.config(shortened(description), headDim),
  }
  const eos = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"]
  const ends = [...new Set(eos.map((key) => metadata[key]).filter((id) => typeof id === "number"))]
  return { config, generationConfig: ends.length > 0 ? { eos_token_id: ends } : null }
}

/** The entries of the architecture. A list with one value per layer is that value, where all are the same. */
function describedValues(metadata: Record<string, GgufValue>, architecture: string): Record<string, unknown> {
  const prefix = `${architecture}.`
  const entries = Object.keys(metadata).filter((key) => key.startsWith(prefix))
  return Object.fromEntries(
    entries.map((key) => {
      const value = metadata[key]
      if (!Array.isArray(value) || value.length === 0) return [key.slice(prefix.length), value]
      if (value.every((other) => other === value[0])) return [key.slice(prefix.length), value[0]]
      throw new AppError("unsupported", `Layers that differ in ${key} are not supported yet.`)
    }),
  )
}

function headWidths(description: GgufDescription, known: GgufArchitecture, what: string): { headDim: number; rotaryDim: number } {
  const { embedding_length: width, "attention.head_count": heads } = description
  const keyLength = description["attention.key_length"]
  if (keyLength === undefined && width % heads !== 0) {
    throw new AppError("bad_file", `${what}: a width of ${width} cannot be shared by ${heads} heads, and no key length is given.`)
  }
  const headDim = keyLength ?? width / heads
  const valueLength = description["attention.value_length"] ?? headDim
  const rotaryDim = description["rope.dimension_count"] ?? headDim
  if (valueLength !== headDim)
    throw new AppError("unsupported", `Values of the width ${valueLength} beside keys of ${headDim} are not supported yet.`)
  if (rotaryDim !== headDim && !known.rotatesParts)
    throw new AppError("unsupported", `Rotary embeddings of ${rotaryDim} of ${headDim} dimensions are not supported yet.`)
  if (headDim % 2 !== 0) throw new AppError("unsupported", `Heads of the odd width ${headDim} cannot be rotated.`)
  const scale = description["attention.scale"]
  if (scale !== undefined && !known.hasAttentionScale && Math.abs(scale * Math.sqrt(headDim) - 1) > 1e-5) {
    throw new AppError("unsupported", `An attention scale of ${scale} is not supported yet.`)
  }
  return { headDim, rotaryDim }
}

/** Numbers that were fp32 in the file, as config.json had them. */
function shortened(description: GgufDescription): GgufDescription {
  const entries = Object.entries(description).map(([key, value]) => [key, typeof value === "number" ? shortest(value) : value])
  return Object.fromEntries(entries) as GgufDescription
}

/** Rows of the embedding: the metadata may say less where the table is padded. */
function vocabularySize(path: string, metadata: Record<string, GgufValue>, embedding: FileTensor | undefined): number {
  const rows = embedding?.shape[0]
  if (rows === undefined) throw new AppError("bad_file", `${path}: tensor token_embd.weight is missing.`)
  const { "tokenizer.ggml.tokens": tokens } = metadata
  if (Array.isArray(tokens) && tokens.length > rows) {
    throw new AppError("bad_file", `${path} has ${tokens.length} tokens, but tensor token_embd.weight has only ${rows} rows.`)
  }
  return rows
}

function tokenIds(metadata: Record<string, GgufValue>): Record<string, number> {
  const keys = { bos_token_id: "bos_token_id", eos_token_id: "eos_token_id", pad_token_id: "padding_token_id" }
  const ids = Object.entries(keys).map(([name, key]) => [name, metadata[`tokenizer.ggml.${key}`]])
  return Object.fromEntries(ids.filter(([, id]) => typeof id === "number"))
}

/** Blocks decode to fp16, the type of their own scales. */
function dtypeOf(tensors: FileTensor[]): string {
  const matrices = tensors.filter(({ shape }) => shape.length === 2)
  if (matrices.some(({ encoding }) => encoding === "bf16")) return "bfloat16"
  return matrices.every(({ encoding }) => encoding === "f32") ? "float32" : "float16"
}

/** The shortest decimal that is this fp32 number: 1e-5, not 0.000009999999747378752. */
function shortest(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === Math.fround(value)) return rounded
  }
  return value
}

function modelTensors(path: string, tensors: FileTensor[], known: GgufArchitecture, config: Record<string, unknown>): ModelTensor[] {
  const names = namesByRole(describeModel(config, path))
  const heads: Record<string, unknown> = known.permutes ? { attn_q: config.num_attention_heads, attn_k: config.num_key_value_heads } : {}
  const isFactors = new Set([freqFactorsName, shortFactorsName, longFactorsName])
  return tensors.flatMap((tensor): ModelTensor[] => {
    if (isFactors.has(tensor.name)) return []
    const role = roleOfGguf(tensor.name)
    const name = role === null ? undefined : names.get(role)
    if (name === undefined) {
      const [architecture] = config.architectures as string[]
      throw new AppError("unsupported", `Tensor ${tensor.name} is not known in the architecture \`${architecture}\`.`)
    }
    const nHeads = heads[tensor.name.split(".")[2] ?? ""]
    return [
      {
        ...tensor,
        name,
        bytes: tensor.data.bytes,
        ...(typeof nHeads === "number" ? { unpermuteHeads: nHeads } : {}),
        ...(known.addsOneToNorms && role?.endsWith("norm") ? { valueOffset: -1 } : {}),
      },
    ]
  })
}
