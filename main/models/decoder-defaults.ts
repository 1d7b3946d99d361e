// The decoder of Llama: what an architecture does not change.
import { AppError } from "../../shared/schema/error.ts"
import type { NativeDecoder, NativeExperts, NativeLayer, NativeRope } from "../engine/native-decoder.ts"

export const noExperts: NativeExperts = {
  nExperts: 0,
  nChosen: 0,
  ffnWidth: 0,
  layout: "gated",
  sharedWidth: 0,
  hasSharedGate: false,
  hasCorrection: false,
  isSigmoid: false,
  isNormalized: false,
  isGroupByTwo: false,
  nGroups: 1,
  nBestGroups: 1,
  scale: 1,
}

export const noLatent: NativeDecoder["latent"] = { qRank: 0, kvRank: 0, normEps: 1e-6 }

export type Sizes = Pick<
  NativeDecoder,
  | "architecture"
  | "nLayers"
  | "width"
  | "nHeads"
  | "nKvHeads"
  | "headDim"
  | "ffnWidth"
  | "vocabSize"
  | "maxContext"
  | "normEps"
  | "activation"
  | "hasTiedHead"
>

export function llamaDecoder(sizes: Sizes, ropes: NativeRope[]): NativeDecoder {
  return {
    ...sizes,
    embedWidth: sizes.width,
    valueDim: sizes.headDim,
    norm: "rms",
    normPlace: "before",
    hasNormWeights: true,
    normWeightOffset: 0,
    hasFinalNorm: true,
    hasEmbedNorm: false,
    isParallel: false,
    hasSharedNorm: false,
    isResidualNormed: false,
    qkv: "separate",
    qkNorm: "none",
    qkNormKind: "rms",
    latent: noLatent,
    attentionScale: 1 / Math.sqrt(sizes.headDim),
    attentionSoftcap: 0,
    qkvClip: 0,
    hasSinks: false,
    alibiSlopes: new Float32Array(),
    ffn: "gated",
    gateLimit: 0,
    gateAlpha: 0,
    experts: noExperts,
    embedScale: 1,
    residualScale: 1,
    logitScale: 1,
    logitSoftcap: 0,
    nPositions: 0,
    firstPosition: 0,
    ropes,
    layers: sameLayers(sizes.nLayers, {}),
  }
}

/** Layers that are all alike: no window, the first rotary embedding, no experts, unless told otherwise. */
export function sameLayers(nLayers: number, layer: Partial<NativeLayer>): NativeLayer[] {
  return Array.from({ length: nLayers }, () => ({ window: 0, rope: 0, hasExperts: false, ...layer }))
}

const activations: Record<string, NativeDecoder["activation"]> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_new: "gelu_tanh",
  gelu_fast: "gelu_tanh",
  gelu_pytorch_tanh: "gelu_tanh",
  gelu_accurate: "gelu_tanh",
  quick_gelu: "quick_gelu",
  relu: "relu",
  relu2: "relu2",
}

/** By its name in transformers. */
export function activation(name: string): NativeDecoder["activation"] {
  const known = Object.hasOwn(activations, name) ? activations[name] : undefined
  if (known) return known
  throw new AppError("unsupported", `The activation \`${name.slice(0, 40)}\` is not supported yet.`)
}
