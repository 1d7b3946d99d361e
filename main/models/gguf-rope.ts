// Rotary scaling of a GGUF file as config.json says it: from the metadata, or from the factors in rope_freqs.weight.
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint, withFile } from "./bounded-file.ts"
import { type Llama3Scaling, llama3Share } from "./rope.ts"
import { type FileTensor, isSameShape, shapeText } from "./tensors.ts"

export interface GgufRope {
  theta: number
  headDim: number
  contextLength: number
  scalingType: string | undefined
  factor: number | undefined
  originalContext: number | undefined
  attentionFactor?: number | undefined
}

/** Of Phi-3: both lists are tensors. */
export function longropeScaling(rope: GgufRope, short: number[], long: number[]): Record<string, unknown> {
  return {
    rope_type: "longrope",
    short_factor: short,
    long_factor: long,
    ...(rope.attentionFactor === undefined ? {} : { attention_factor: rope.attentionFactor }),
    ...(rope.originalContext === undefined ? {} : { original_max_position_embeddings: rope.originalContext }),
  }
}

/** `rope_scaling` of config.json; null = none. */
export function ropeScaling(rope: GgufRope, freqFactors: number[] | null): Record<string, unknown> | null {
  if (freqFactors) return factorScaling(rope, freqFactors)
  const { scalingType = "none", factor = 1, originalContext, contextLength } = rope
  if (scalingType === "none" || factor === 1) return null
  if (scalingType === "linear") return { rope_type: "linear", factor }
  if (scalingType !== "yarn") throw new AppError("unsupported", `The rotary scaling \`${scalingType.slice(0, 40)}\` is not supported yet.`)
  return { rope_type: "yarn", factor, original_max_position_embeddings: originalContext ?? Math.round(contextLength / factor) }
}

/** The numbers that each rotary frequency is divided by. `headDim`: what is rotated of it. */
export async function readFreqFactors(path: string, tensor: FileTensor, headDim: number): Promise<number[]> {
  const what = `${path}: tensor ${tensor.name}`
  if (tensor.dtype !== "F32" || !isSameShape(tensor.shape, [headDim / 2])) {
    throw new AppError("bad_file", `${what} is ${tensor.dtype} ${shapeText(tensor.shape)}, expected F32 [${headDim / 2}].`, damagedHint)
  }
  const bytes = await withFile(path, (file) => file.read(tensor.data.offset, tensor.data.bytes))
  const factors = Array.from({ length: headDim / 2 }, (_, i) => bytes.readFloatLE(i * 4))
  const bad = factors.findIndex((factor) => !(factor > 0 && Number.isFinite(factor)))
  if (bad >= 0)
    throw new AppError("bad_file", `${what} holds ${factors[bad]} at ${bad}; a rotary frequency cannot be divided by it.`, damagedHint)
  return factors
}

/**
 * convert_hf_to_gguf writes the factors of llama3 scaling but not what they came from. The usual values are tried; what none
 * of them gives is kept as it is, in the form that transformers has for lists of factors.
 */
function factorScaling(rope: GgufRope, factors: number[]): Record<string, unknown> {
  const factor = Math.max(...factors)
  for (let originalContext = 32; factor > 1 && originalContext <= 1 << 20; originalContext *= 2) {
    const scaling: Llama3Scaling = { factor: Math.round(factor * 1e4) / 1e4, low: 1, high: 4, originalContext }
    if (!isLlama3(rope, factors, scaling)) continue
    const { low, high } = scaling
    return {
      rope_type: "llama3",
      factor: scaling.factor,
      low_freq_factor: low,
      high_freq_factor: high,
      original_max_position_embeddings: originalContext,
    }
  }
  return {
    rope_type: "longrope",
    short_factor: factors,
    long_factor: factors,
    attention_factor: 1,
    original_max_position_embeddings: rope.contextLength,
  }
}

function isLlama3({ theta, headDim }: GgufRope, factors: number[], scaling: Llama3Scaling): boolean {
  return factors.every((factor, i) => Math.abs(factor * llama3Share(scaling, theta ** ((-2 * i) / headDim)) - 1) < 1e-5)
}
