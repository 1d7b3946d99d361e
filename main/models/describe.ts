// config.json -> what the engine needs to know of the decoder, and the tensors that a checkpoint of it must have.
import { AppError } from "../../shared/schema/error.ts"
import type { NativeDecoder } from "../engine/addon-types.ts"
import type { Switches } from "./architectures/architecture.ts"
import { architectures } from "./architectures/registry.ts"
import { DecoderConfig, decoderDefaults } from "./decoder-config.ts"
import { checked } from "./json.ts"
import { rotaryEmbedding } from "./rope.ts"

/** A tensor that the model must have: its name in transformers, its role in native/model/decoder.h. */
export interface ExpectedTensor {
  name: string
  role: string
  shape: number[]
  /** A linear layer that bitsandbytes' default rule converts: all but lm_head. */
  isLinear: boolean
}

export interface ModelDescription {
  decoder: NativeDecoder
  expected: ExpectedTensor[]
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
 * `what` begins messages: the path of config.json. Throws "unsupported" with a whole sentence for what the decoder cannot do,
 * bad_file for what no decoder can.
 */
export function describeModel(config: Record<string, unknown>, what: string): ModelDescription {
  const name = architectureName(config)
  const architecture = architectures.find((candidate) => candidate.name === name)
  if (!architecture) throw new AppError("unsupported", `Architecture \`${name}\` is not supported yet.`)
  const settings = checked(DecoderConfig, { ...decoderDefaults, ...architecture.defaults, ...withoutUndefined(config) }, what)
  const { hidden_size: width, num_attention_heads: nHeads, num_hidden_layers: nLayers } = settings
  const nKvHeads = settings.num_key_value_heads ?? nHeads
  if (nHeads % nKvHeads !== 0) {
    throw new AppError("bad_file", `${what}: ${nHeads} attention heads cannot share ${nKvHeads} key/value heads evenly.`)
  }
  if (settings.head_dim == null && width % nHeads !== 0) {
    throw new AppError(
      "bad_file",
      `${what}: hidden_size ${width} is no multiple of num_attention_heads ${nHeads}, and there is no head_dim.`,
    )
  }
  const headDim = settings.head_dim ?? width / nHeads
  if (headDim % 2 !== 0) throw new AppError("unsupported", `Heads of the odd width ${headDim} cannot be rotated.`)
  if (!["silu", "swish"].includes(settings.hidden_act)) {
    throw new AppError("unsupported", `The activation \`${settings.hidden_act.slice(0, 40)}\` is not supported yet.`)
  }
  const { invFreq, mscale, maxContext } = rotaryEmbedding(config, headDim, settings.max_position_embeddings, what)
  const switches = architecture.switches(settings, maxContext)
  const decoder: NativeDecoder = {
    architecture: architecture.name,
    nLayers,
    width,
    nHeads,
    nKvHeads,
    headDim,
    ffnWidth: settings.intermediate_size,
    vocabSize: settings.vocab_size,
    maxContext,
    normEps: settings.rms_norm_eps,
    attentionScale: 1 / Math.sqrt(headDim),
    slidingWindow: switches.slidingWindow >= maxContext ? 0 : switches.slidingWindow,
    hasTiedHead: settings.tie_word_embeddings,
    rope: { invFreq, rotaryDim: headDim, mscale },
  }
  return { decoder, expected: expectedTensors(decoder, switches.biases) }
}

function withoutUndefined(config: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}

/** Rows and columns of the tied or untied head are those of the embedding. */
export function headTensor({ vocabSize, width }: NativeDecoder): ExpectedTensor {
  return { name: "lm_head.weight", role: "head", shape: [vocabSize, width], isLinear: false }
}

function expectedTensors(decoder: NativeDecoder, biases: Switches["biases"]): ExpectedTensor[] {
  const { width, nHeads, nKvHeads, headDim, ffnWidth, vocabSize } = decoder
  const linears: [module: string, role: string, rows: number, columns: number, hasBias: boolean][] = [
    ["self_attn.q_proj", "q", nHeads * headDim, width, biases.qkv],
    ["self_attn.k_proj", "k", nKvHeads * headDim, width, biases.qkv],
    ["self_attn.v_proj", "v", nKvHeads * headDim, width, biases.qkv],
    ["self_attn.o_proj", "o", width, nHeads * headDim, biases.output],
    ["mlp.gate_proj", "gate", ffnWidth, width, biases.mlp],
    ["mlp.up_proj", "up", ffnWidth, width, biases.mlp],
    ["mlp.down_proj", "down", width, ffnWidth, biases.mlp],
  ]
  const vector = (name: string, role: string, length: number): ExpectedTensor => ({ name, role, shape: [length], isLinear: false })
  const expected = [{ name: "model.embed_tokens.weight", role: "embed", shape: [vocabSize, width], isLinear: false }]
  for (let i = 0; i < decoder.nLayers; i++) {
    const layer = `model.layers.${i}`
    const role = `layers.${i}`
    expected.push(vector(`${layer}.input_layernorm.weight`, `${role}.attn_norm`, width))
    for (const [module, linear, rows, columns, hasBias] of linears) {
      if (linear === "gate") expected.push(vector(`${layer}.post_attention_layernorm.weight`, `${role}.mlp_norm`, width))
      expected.push({ name: `${layer}.${module}.weight`, role: `${role}.${linear}`, shape: [rows, columns], isLinear: true })
      if (hasBias) expected.push(vector(`${layer}.${module}.bias`, `${role}.${linear}.bias`, rows))
    }
  }
  expected.push(vector("model.norm.weight", "final_norm", width))
  if (!decoder.hasTiedHead) expected.push(headTensor(decoder))
  return expected
}
