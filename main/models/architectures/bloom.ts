// BLOOM: a norm behind the embedding, linear biases instead of positions, queries, keys and values by head.
import { z } from "zod"
import { sameLayers } from "../decoder-defaults.ts"
import { alibiSlopes } from "./alibi.ts"
import { architecture, type Draft, type Role } from "./architecture.ts"

/** Megatron's, which Falcon has too. */
export const megatronNames: NonNullable<Draft<Record<never, never>>["names"]> = {
  prefix: "transformer.",
  layers: "h",
  ends: { embed: "word_embeddings", embed_norm: "word_embeddings_layernorm", final_norm: "ln_f" },
  inLayer: {
    qkv: "self_attention.query_key_value",
    o: "self_attention.dense",
    up: "mlp.dense_h_to_4h",
    down: "mlp.dense_4h_to_h",
  },
}

export const megatronNorms: Role[] = ["attn_norm", "mlp_norm", "final_norm"]
export const megatronMatrices: Role[] = ["qkv", "o", "up", "down"]

export const bloom = architecture({
  name: "BloomForCausalLM",
  modelType: "bloom",
  fields: { apply_residual_connection_post_layernorm: z.boolean() },
  renamed: {
    hidden_size: "n_embed",
    num_hidden_layers: "n_layer",
    num_attention_heads: "n_head",
    max_position_embeddings: "seq_length",
    rms_norm_eps: "layer_norm_epsilon",
  },
  // Positions have no end; the models were trained on 2048, as some configurations say.
  defaults: {
    max_position_embeddings: 2048,
    layer_norm_epsilon: 1e-5,
    tie_word_embeddings: true,
    apply_residual_connection_post_layernorm: false,
  },
  isFfnFourfold: true,
  names: megatronNames,
  describe: ({ apply_residual_connection_post_layernorm: isResidualNormed }, { nLayers, nHeads }) => ({
    decoder: {
      norm: "layer",
      hasEmbedNorm: true,
      isResidualNormed,
      qkv: "grouped",
      alibiSlopes: alibiSlopes(nHeads),
      ffn: "plain",
      activation: "gelu_tanh",
      layers: sameLayers(nLayers, { rope: -1 }),
    },
    biases: ["embed_norm", ...megatronNorms, ...megatronMatrices],
  }),
})
