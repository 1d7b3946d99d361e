// Rotary frequencies from config.json, with the scalings that Llama-family checkpoints use. Each function is the formula of
// transformers' modeling_rope_utils, computed in double precision and rounded once.
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import type { NativeRope } from "../engine/native-decoder.ts"
import { checked } from "./json.ts"

const positive = z.number().positive()
const factors = z.array(positive).max(1 << 16)

/** `rope_parameters` (transformers 5) or `rope_scaling` (4, then with `rope_theta` beside it). */
const RopeParameters = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: positive.nullish(),
  factor: positive.nullish(),
  partial_rotary_factor: positive.nullish(),
  original_max_position_embeddings: positive.nullish(),
  low_freq_factor: positive.nullish(),
  high_freq_factor: positive.nullish(),
  attention_factor: positive.nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().nullish(),
  short_factor: factors.nullish(),
  long_factor: factors.nullish(),
})

const RopeConfig = z.looseObject({
  rope_theta: positive.nullish(),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  rope_parameters: z.record(z.string(), z.unknown()).nullish(),
  partial_rotary_factor: positive.nullish(),
  original_max_position_embeddings: positive.nullish(),
})

export interface Rotary {
  rope: NativeRope
  /** Positions for which the frequencies hold. */
  maxContext: number
}

export interface RotarySizes {
  headDim: number
  /** By default the head, or the share of it that the configuration names. */
  rotaryDim?: number
  maxContext: number
  isInterleaved?: boolean
  /** Begins messages: the path of config.json. */
  what: string
}

/** All that a formula may use, defaults filled in. */
interface Settings {
  parameters: z.output<typeof RopeParameters>
  what: string
  theta: number
  /** Width that is rotated. */
  dim: number
  maxContext: number
  originalContext: number
}

export function rotaryEmbedding(config: Record<string, unknown>, sizes: RotarySizes): Rotary {
  const { headDim, maxContext, what } = sizes
  const top = checked(RopeConfig, config, what)
  // An empty object counts as none, as in Python.
  const nested = [top.rope_scaling, top.rope_parameters].find((value) => value && Object.keys(value).length > 0) ?? {}
  if ("full_attention" in nested || "sliding_attention" in nested) {
    throw new AppError("unsupported", "Rotary embeddings that differ between layers are not supported for this architecture.")
  }
  const parameters = checked(RopeParameters, nested, `${what}: rotary parameters`)
  const share = parameters.partial_rotary_factor ?? top.partial_rotary_factor ?? 1
  const dim = sizes.rotaryDim ?? Math.trunc(headDim * share)
  if (dim % 2 !== 0 || dim < 2 || dim > headDim) {
    throw new AppError("unsupported", `Rotating ${dim} of a head's ${headDim} values is not possible: it takes an even part of them.`)
  }
  const type = parameters.rope_type ?? parameters.type ?? "default"
  const formula = Object.hasOwn(formulas, type) ? formulas[type] : undefined
  if (!formula) throw new AppError("unsupported", `The rotary scaling \`${type.slice(0, 40)}\` is not supported yet.`)
  const result = formula({
    parameters,
    what,
    theta: parameters.rope_theta ?? top.rope_theta ?? 10000,
    dim,
    maxContext,
    originalContext: top.original_max_position_embeddings ?? parameters.original_max_position_embeddings ?? maxContext,
  })
  const rope: NativeRope = {
    invFreq: Float32Array.from(result.invFreq),
    invFreqLong: Float32Array.from(result.invFreqLong ?? []),
    longAbove: result.longAbove ?? 0,
    rotaryDim: dim,
    mscale: result.mscale ?? 1,
    isInterleaved: sizes.isInterleaved ?? false,
  }
  if (![...rope.invFreq, ...rope.invFreqLong, rope.mscale].every((value) => Number.isFinite(value))) {
    throw new AppError("bad_file", `${what}: the rotary parameters give frequencies that are no numbers.`)
  }
  return { rope, maxContext: result.maxContext ?? maxContext }
}

interface Frequencies {
  invFreq: number[]
  /** For texts of more than `longAbove` positions. */
  invFreqLong?: number[]
  longAbove?: number
  mscale?: number
  maxContext?: number
}

type Formula = (settings: Settings) => Frequencies

const formulas: Record<string, Formula> = {
  default: (settings) => ({ invFreq: plainFrequencies(settings) }),
  linear: (settings) => {
    const factor = needed(settings, "factor")
    return { invFreq: plainFrequencies(settings).map((frequency) => frequency / factor) }
  },
  // Up to max_position_embeddings the dynamic scaling changes nothing, and longer contexts are not offered.
  dynamic: (settings) => ({ invFreq: plainFrequencies(settings) }),
  llama3,
  yarn,
  longrope,
}

/** 1 / theta^(2 i / D), rounded at each step as fp32 arithmetic does. */
function plainFrequencies({ theta, dim }: Settings): number[] {
  return Array.from({ length: dim / 2 }, (_, i) => Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / dim))))
}

function needed<Name extends "factor" | "low_freq_factor" | "high_freq_factor">({ parameters, what }: Settings, name: Name): number {
  const value = parameters[name]
  if (value) return value
  throw new AppError("bad_file", `${what}: the rotary scaling lacks ${name}.`)
}

/** Llama 3.1: long waves are divided by the factor, short ones are kept, between them the two are blended. */
function llama3(settings: Settings): { invFreq: number[] } {
  const factor = needed(settings, "factor")
  const low = needed(settings, "low_freq_factor")
  const high = needed(settings, "high_freq_factor")
  return {
    invFreq: plainFrequencies(settings).map(
      (frequency) => frequency * llama3Share({ factor, low, high, originalContext: settings.originalContext }, frequency),
    ),
  }
}

export interface Llama3Scaling {
  factor: number
  low: number
  high: number
  originalContext: number
}

/** What llama3 scaling multiplies a frequency by. */
export function llama3Share({ factor, low, high, originalContext }: Llama3Scaling, frequency: number): number {
  const wavelength = (2 * Math.PI) / frequency
  if (wavelength < originalContext / high) return 1
  if (wavelength > originalContext / low) return 1 / factor
  const smooth = (originalContext / wavelength - low) / (high - low)
  return (1 - smooth) / factor + smooth
}

/** By how much YaRN stretches queries and keys together, with the weight `scale`. */
export function yarnMagnitude(factor: number, scale: number): number {
  return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1
}

/** YaRN (arXiv 2309.00071). */
function yarn(settings: Settings): { invFreq: number[]; mscale: number; maxContext: number } {
  const { parameters, theta, dim, maxContext, originalContext } = settings
  const factor = parameters.factor ?? maxContext / originalContext
  const magnitude = (scale: number) => yarnMagnitude(factor, scale)
  const { mscale, mscale_all_dim: mscaleAll } = parameters
  const inferred = mscale && mscaleAll ? magnitude(mscale) / magnitude(mscaleAll) : magnitude(1)
  const dimensionOf = (rotations: number) => (dim * Math.log(originalContext / (rotations * 2 * Math.PI))) / (2 * Math.log(theta))
  const isTruncated = parameters.truncate ?? true
  const first = dimensionOf(parameters.beta_fast ?? 32)
  const last = dimensionOf(parameters.beta_slow ?? 1)
  const low = Math.max(isTruncated ? Math.floor(first) : first, 0)
  const high = Math.min(isTruncated ? Math.ceil(last) : last, dim - 1)
  const span = high === low ? 0.001 : high - low
  const invFreq = plainFrequencies(settings).map((frequency, i) => {
    const kept = 1 - Math.min(Math.max((i - low) / span, 0), 1)
    return (frequency / factor) * (1 - kept) + frequency * kept
  })
  // What YaRN was made for: the context it stretches to, also where max_position_embeddings still gives the original one.
  const stretched = Math.min(Math.floor(factor * originalContext), 1 << 24)
  return { invFreq, mscale: parameters.attention_factor ?? inferred, maxContext: Math.max(maxContext, stretched) }
}

/**
 * One factor per frequency (arXiv 2402.13753); two lists, for texts up to the original context and for longer ones. transformers decides by
 * the length of the text, the engine by that of the cache, so that keys which were computed stay right while a text grows.
 */
function longrope(settings: Settings): Frequencies {
  const { parameters, what, maxContext, originalContext } = settings
  const plain = plainFrequencies(settings)
  const { short_factor: short, long_factor: long } = parameters
  if (short?.length !== plain.length || long?.length !== plain.length) {
    throw new AppError(
      "bad_file",
      `${what}: longrope needs ${plain.length} factors, but has ${short?.length ?? 0} and ${long?.length ?? 0}.`,
    )
  }
  const factor = parameters.factor ?? maxContext / originalContext
  const inferred = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContext))
  const divided = (factors: number[]) => plain.map((frequency, i) => frequency / (factors[i] as number))
  const isOne = short.every((shortFactor, i) => shortFactor === long[i])
  return {
    invFreq: divided(short),
    ...(isOne ? {} : { invFreqLong: divided(long), longAbove: originalContext }),
    mscale: parameters.attention_factor ?? inferred,
  }
}
