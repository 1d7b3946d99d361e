// What an architecture file says. The decoder itself is one (native/model); an architecture is the names of its tensors and what
// differs from Llama. docs/adding-an-architecture.md shows how to write one.
import type { z } from "zod"
import type { NativeDecoder, NativeFfnLayout } from "../../engine/native-decoder.ts"
import type { DecoderConfig } from "../decoder-config.ts"
import type { Rotary } from "../rope.ts"

/** Roles of native/model/decoder.h that exist once. */
export type EndRole = "embed" | "embed_in" | "positions" | "embed_norm" | "final_norm" | "embed_out" | "head"

type FfnRole = "gate" | "up" | "gate_up" | "down"

/** Roles that each layer has. `experts.gate` is the matrix of each expert, or those of all in one where its name is a `{parameter}`. */
export type LayerRole =
  | "attn_norm"
  | "attn_post_norm"
  | "mlp_norm"
  | "mlp_post_norm"
  | "q"
  | "k"
  | "v"
  | "qkv"
  | "q_a"
  | "q_a_norm"
  | "q_b"
  | "kv_a"
  | "kv_a_norm"
  | "kv_b"
  | "q_norm"
  | "k_norm"
  | "sinks"
  | "o"
  | "router"
  | "router_correction"
  | "shared_gate"
  | FfnRole
  | `shared.${FfnRole}`
  | `experts.${FfnRole}`

export type Role = EndRole | LayerRole

/**
 * A module, whose tensors are NAME.weight and NAME.bias; or a parameter of that very name, its bias under another. Of layers the part
 * behind the layer's number; `{e}` stands for the number of an expert, `{h}` for that of a head.
 */
export type TensorName = string | { parameter: string; bias?: string }

export interface TensorNames {
  /** What stands before every name but that of the head, with its dot: "model.". */
  prefix: string
  /** What some checkpoints have instead: the names of the base model alone, or of a model that also sees. */
  otherPrefixes: string[]
  /** The list of layers, behind the prefix: "layers". */
  layers: string
  ends: Partial<Record<EndRole, TensorName>>
  inLayer: Partial<Record<LayerRole, TensorName>>
  /** The ways in which checkpoints hold experts; the first is taken where none is known to be there. Empty: there are no experts. */
  experts: ExpertsForm[]
}

/** Names of a layer with experts, in place of those of `inLayer`. A checkpoint has the form whose `experts.down` it has. */
export interface ExpertsForm {
  layout: NativeFfnLayout
  inLayer: Partial<Record<LayerRole, TensorName>>
  /** See Difference. */
  transposed?: Role[]
}

/** What of the decoder an architecture decides; the rest are sizes of the configuration and Llama's values. */
export type DecoderChange = Partial<Omit<NativeDecoder, "architecture" | "nLayers" | "vocabSize" | "hasTiedHead" | "ropes">> & {
  /** By default one, of the whole configuration; none when no layer rotates. */
  ropes?: Rotary[]
}

export interface Difference {
  decoder?: DecoderChange
  /** Names in layers that the configuration decides. */
  inLayer?: TensorNames["inLayer"]
  /** Roles whose linear layer or norm has a bias. */
  biases?: Role[]
  /** Roles whose matrix lies transposed in 16- and 32-bit checkpoints: GPT-2's Conv1D. */
  transposed?: Role[]
}

/** Sizes that the common fields give, and the rotary embedding they describe. */
export interface Common {
  width: number
  nLayers: number
  nHeads: number
  nKvHeads: number
  headDim: number
  maxContext: number
  /** The rotary embedding that config.json describes, or one that differs from it. */
  rope(options?: RotaryOptions): Rotary
}

export interface RotaryOptions {
  /** Read instead of config.json: `{rope_parameters: …}` of one kind of layer. */
  config?: Record<string, unknown>
  /** Where only a part of each head is rotated and config.json calls that part a head. */
  headDim?: number
  /** Width that is rotated, where the configuration's share of the head does not say it. */
  rotaryDim?: number
  isInterleaved?: boolean
}

export interface Architecture<Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** In config.json's "architectures". */
  name: string
  /** config.json's "model_type". */
  modelType: string
  /** The part of config.json that describes the decoder, where it is not the whole: "text_config". */
  part: string | null
  /** Fields of config.json beyond those of decoder-config.ts. */
  fields: Shape
  /** Fields of decoder-config.ts that this configuration calls otherwise, at least at times: `{hidden_size: "n_embd"}`. */
  renamed: Record<string, string>
  /** What its configuration class in transformers fills in for absent fields, where that differs from decoderDefaults. */
  defaults: Record<string, unknown>
  /** The feed-forward part is four times as wide as the model where the configuration leaves its width open. */
  isFfnFourfold: boolean
  names: TensorNames
  describe(config: Settings<Shape>, common: Common): Difference
}

export type Settings<Shape extends z.ZodRawShape> = z.output<typeof DecoderConfig> & z.output<z.ZodObject<Shape>>

export interface Draft<Shape extends z.ZodRawShape> {
  name: string
  modelType: string
  part?: string
  fields?: Shape
  renamed?: Record<string, string>
  defaults?: Record<string, unknown>
  isFfnFourfold?: boolean
  names?: Partial<TensorNames>
  describe?(config: Settings<Shape>, common: Common): Difference
}

/** An architecture with Llama's names and values where it says nothing. */
export function architecture<Shape extends z.ZodRawShape = Record<never, never>>(draft: Draft<Shape>): Architecture {
  const { names = {} } = draft
  const whole: Architecture<Shape> = {
    name: draft.name,
    modelType: draft.modelType,
    part: draft.part ?? null,
    fields: draft.fields ?? ({} as Shape),
    renamed: draft.renamed ?? {},
    defaults: draft.defaults ?? {},
    isFfnFourfold: draft.isFfnFourfold ?? false,
    names: {
      prefix: names.prefix ?? llamaNames.prefix,
      otherPrefixes: names.otherPrefixes ?? llamaNames.otherPrefixes,
      layers: names.layers ?? llamaNames.layers,
      ends: { ...llamaNames.ends, ...names.ends },
      inLayer: { ...llamaNames.inLayer, ...names.inLayer },
      experts: names.experts ?? llamaNames.experts,
    },
    describe: draft.describe ?? (() => ({})),
  }
  return whole as unknown as Architecture
}

const llamaNames: TensorNames = {
  prefix: "model.",
  otherPrefixes: [""],
  layers: "layers",
  ends: { embed: "embed_tokens", final_norm: "norm", head: "lm_head" },
  inLayer: {
    attn_norm: "input_layernorm",
    q: "self_attn.q_proj",
    k: "self_attn.k_proj",
    v: "self_attn.v_proj",
    o: "self_attn.o_proj",
    q_norm: "self_attn.q_norm",
    k_norm: "self_attn.k_norm",
    mlp_norm: "post_attention_layernorm",
    gate: "mlp.gate_proj",
    up: "mlp.up_proj",
    down: "mlp.down_proj",
  },
  experts: [],
}
