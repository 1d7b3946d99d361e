// Qwen3-MoE (Qwen3-30B-A3B, Qwen3-235B-A22B, Qwen3-Coder): Qwen3 with experts.
import { z } from "zod"
import { dimension } from "../decoder-config.ts"
import { noExperts, sameLayers } from "../decoder-defaults.ts"
import { architecture } from "./architecture.ts"
import { sparseDefaults, sparseFields, usualExperts, withSparseLayers } from "./experts.ts"

export const qwen3Moe = architecture({
  name: "Qwen3MoeForCausalLM",
  modelType: "qwen3_moe",
  fields: {
    ...sparseFields,
    num_experts: dimension,
    num_experts_per_tok: dimension,
    moe_intermediate_size: dimension,
    norm_topk_prob: z.boolean(),
  },
  renamed: { num_experts: "num_local_experts" },
  defaults: {
    ...sparseDefaults,
    num_key_value_heads: 4,
    max_position_embeddings: 32768,
    sliding_window: 4096,
    num_experts: 128,
    num_experts_per_tok: 8,
    moe_intermediate_size: 768,
    norm_topk_prob: false,
  },
  names: { inLayer: usualExperts.router, experts: usualExperts.experts },
  describe: (config, { nLayers }) => ({
    decoder: {
      qkNorm: "shared",
      layers: withSparseLayers(sameLayers(nLayers, { window: config.use_sliding_window ? (config.sliding_window ?? 0) : 0 }), config),
      experts: {
        ...noExperts,
        nExperts: config.num_experts,
        nChosen: config.num_experts_per_tok,
        ffnWidth: config.moe_intermediate_size,
        isNormalized: config.norm_topk_prob,
      },
    },
    biases: config.attention_bias ? ["q", "k", "v", "o"] : [],
  }),
})
