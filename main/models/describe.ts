// config.json -> what the engine needs to know of the decoder, and the tensors that a checkpoint of it must have.
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import type { NativeDecoder } from "../engine/native-decoder.ts"
import type { Architecture, Common, Difference, Settings, TensorName, TensorNames } from "./architectures/architecture.ts"
import { architectures } from "./architectures/registry.ts"
import { DecoderConfig, decoderDefaults } from "./decoder-config.ts"
import { activation, llamaDecoder } from "./decoder-defaults.ts"
import { Expectation, type ExpectedTensor } from "./expected-tensors.ts"
import { expertsForm } from "./experts-form.ts"
import { checked, isObject } from "./json.ts"
import { type ModelModule, modulesOf } from "./modules.ts"
import { rotaryEmbedding } from "./rope.ts"

export interface ModelDescription {
  decoder: NativeDecoder
  expected: ExpectedTensor[]
  /** What can lie on a device of its own. */
  modules: ModelModule[]
}

/** First entry of "architectures"; old checkpoints have only a model type. */
export function architectureName(config: Record<string, unknown>): string {
  const first = Array.isArray(config.architectures) ? config.architectures[0] : undefined
  if (typeof first === "string") return first.slice(0, 100)
  const { model_type: modelType } = config
  if (typeof modelType !== "string") return "unknown"
  return architectures.find((architecture) => architecture.modelType === modelType)?.name ?? modelType.slice(0, 100)
}

/**
 * `what` begins messages: the path of config.json. `stored`: names of the tensors that the checkpoint has, which decide where
 * checkpoints of one architecture differ; null: none are known. Throws "unsupported" with a whole sentence for what the decoder
 * cannot do, bad_file for what no decoder can.
 */
export function describeModel(config: Record<string, unknown>, what: string, stored: ReadonlySet<string> | null = null): ModelDescription {
  const name = architectureName(config)
  const architecture = architectures.find((candidate) => candidate.name === name)
  if (!architecture) throw new AppError("unsupported", `Architecture \`${name}\` is not supported yet.`)
  const own = ownConfig(architecture, config)
  const settings = readSettings(architecture, own, what)
  const nKvHeads = settings.num_key_value_heads ?? settings.num_attention_heads
  const headDim = headWidth(settings, nKvHeads, what)
  const common = commonOf(settings, own, { nKvHeads, headDim, what })
  const difference = architecture.describe(settings, common)
  const inLayer = { ...architecture.names.inLayer, ...difference.inLayer }
  const names = storedNames({ ...architecture.names, inLayer }, stored)
  // A head of its own is used even where config.json says that it is tied, as transformers 5 does.
  const hasTiedHead = settings.tie_word_embeddings && !stored?.has(weightName(names.ends.head))
  const ropes = difference.decoder?.ropes ?? (difference.decoder?.layers?.every(({ rope }) => rope < 0) ? [] : [common.rope()])
  const base = llamaDecoder(
    {
      architecture: architecture.name,
      nLayers: settings.num_hidden_layers,
      width: settings.hidden_size,
      nHeads: settings.num_attention_heads,
      nKvHeads,
      headDim,
      ffnWidth: settings.intermediate_size,
      vocabSize: settings.vocab_size,
      maxContext: settings.max_position_embeddings,
      normEps: settings.rms_norm_eps,
      activation: activation(settings.hidden_act),
      hasTiedHead,
    },
    ropes.map(({ rope }) => rope),
  )
  const maxContext = difference.decoder?.maxContext ?? Math.max(base.maxContext, ...ropes.map((rotary) => rotary.maxContext))
  const changed = { ...base, ...difference.decoder, ropes: base.ropes, maxContext }
  // A window as long as the context hides nothing.
  const decoder = {
    ...changed,
    layers: changed.layers.map((layer) => ({ ...layer, window: layer.window >= maxContext ? 0 : layer.window })),
  }
  return described(decoder, names, difference, stored)
}

/** With the experts as the checkpoint has them. */
function described(
  decoder: NativeDecoder,
  names: TensorNames,
  difference: Difference,
  stored: ReadonlySet<string> | null,
): ModelDescription {
  const form = expertsForm(names, decoder.layers, stored)
  const modules = modulesOf(decoder, names)
  if (!form) return { decoder, expected: new Expectation(decoder, names, difference).tensors, modules }
  const withExperts = { ...decoder, experts: { ...decoder.experts, layout: form.layout } }
  const inLayer = { ...names.inLayer, ...form.inLayer }
  const transposed = [...(difference.transposed ?? []), ...(form.transposed ?? [])]
  const { tensors } = new Expectation(withExperts, { ...names, inLayer }, { ...difference, transposed })
  return { decoder: withExperts, expected: tensors, modules }
}

/** What describes the decoder; some of it may stand beside the part that does. */
function ownConfig({ part }: Architecture, config: Record<string, unknown>): Record<string, unknown> {
  const own = part === null ? undefined : config[part]
  return isObject(own) ? { ...config, ...own } : config
}

function readSettings(architecture: Architecture, config: Record<string, unknown>, what: string): Settings<z.ZodRawShape> {
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
  const raw: Record<string, unknown> = { ...decoderDefaults, ...architecture.defaults, ...given }
  for (const [common, own] of Object.entries(architecture.renamed)) if (raw[own] != null) raw[common] = raw[own]
  if (architecture.isFfnFourfold && typeof raw.hidden_size === "number") raw.intermediate_size ??= 4 * raw.hidden_size
  return { ...checked(DecoderConfig, raw, what), ...checked(z.object(architecture.fields), raw, what) }
}

function headWidth(settings: Settings<z.ZodRawShape>, nKvHeads: number, what: string): number {
  const { hidden_size: width, num_attention_heads: nHeads, head_dim: headDim } = settings
  if (nHeads % nKvHeads !== 0) {
    throw new AppError("bad_file", `${what}: ${nHeads} attention heads cannot share ${nKvHeads} key/value heads evenly.`)
  }
  if (headDim == null && width % nHeads !== 0) {
    throw new AppError(
      "bad_file",
      `${what}: hidden_size ${width} is no multiple of num_attention_heads ${nHeads}, and there is no head_dim.`,
    )
  }
  return headDim ?? width / nHeads
}

interface HeadSizes {
  nKvHeads: number
  headDim: number
  what: string
}

function commonOf(settings: Settings<z.ZodRawShape>, config: Record<string, unknown>, { nKvHeads, headDim, what }: HeadSizes): Common {
  const maxContext = settings.max_position_embeddings
  return {
    width: settings.hidden_size,
    nLayers: settings.num_hidden_layers,
    nHeads: settings.num_attention_heads,
    nKvHeads,
    headDim,
    maxContext,
    rope: (options = {}) => rotaryEmbedding(options.config ?? config, { headDim, maxContext, what, ...options }),
  }
}

/** The names as this checkpoint has them. */
function storedNames(names: TensorNames, stored: ReadonlySet<string> | null): TensorNames {
  if (!stored) return names
  const { embed } = names.ends
  const prefix = [names.prefix, ...names.otherPrefixes].find((candidate) => stored.has(candidate + weightName(embed)))
  return prefix === undefined ? names : { ...names, prefix }
}

function weightName(name: TensorName | undefined): string {
  return typeof name === "object" ? name.parameter : `${name}.weight`
}
