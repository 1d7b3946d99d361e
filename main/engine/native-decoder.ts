// The description of a decoder as engine.node takes it; native/model/decoder.h says what each field means.

export interface NativeRope {
  /** [rotaryDim / 2] */
  invFreq: Float32Array
  /** Used instead where the cache holds more than `longAbove` positions; empty: there is none. */
  invFreqLong: Float32Array
  longAbove: number
  rotaryDim: number
  mscale: number
  isInterleaved: boolean
}

export interface NativeLayer {
  /** 0 = every position sees all before it. */
  window: number
  /** Index into ropes; -1 = positions are not rotated. */
  rope: number
  hasExperts: boolean
  /** Absent: that of the decoder. */
  attentionScale?: number
}

export type NativeFfnLayout = "gated" | "gated_stacked" | "gated_pairs" | "plain"
export type NativeNormKind = "rms" | "layer"

export interface NativeExperts {
  /** 0 = no layer has experts. */
  nExperts: number
  nChosen: number
  ffnWidth: number
  layout: NativeFfnLayout
  /** 0 = none. */
  sharedWidth: number
  hasSharedGate: boolean
  hasCorrection: boolean
  isSigmoid: boolean
  isNormalized: boolean
  isGroupByTwo: boolean
  nGroups: number
  nBestGroups: number
  scale: number
}

export interface NativeDecoder {
  architecture: string
  nLayers: number
  width: number
  embedWidth: number
  nHeads: number
  nKvHeads: number
  headDim: number
  valueDim: number
  ffnWidth: number
  vocabSize: number
  maxContext: number

  norm: NativeNormKind
  normPlace: "before" | "after" | "around" | "on_residual"
  hasNormWeights: boolean
  normWeightOffset: number
  normEps: number
  hasFinalNorm: boolean
  hasEmbedNorm: boolean
  isParallel: boolean
  hasSharedNorm: boolean
  isResidualNormed: boolean

  qkv: "separate" | "stacked" | "grouped" | "quarters" | "latent"
  qkNorm: "none" | "shared" | "own" | "full"
  qkNormKind: NativeNormKind
  latent: { qRank: number; kvRank: number; normEps: number }
  attentionScale: number
  attentionSoftcap: number
  qkvClip: number
  hasSinks: boolean
  /** [nHeads], or empty. */
  alibiSlopes: Float32Array

  ffn: NativeFfnLayout
  activation: "silu" | "gelu" | "gelu_tanh" | "relu" | "quick_gelu" | "relu2"
  gateLimit: number
  gateAlpha: number
  experts: NativeExperts

  embedScale: number
  residualScale: number
  logitScale: number
  logitSoftcap: number
  nPositions: number
  firstPosition: number
  hasTiedHead: boolean

  ropes: NativeRope[]
  /** [nLayers] */
  layers: NativeLayer[]
}
