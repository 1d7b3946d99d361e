// OLMoE: Llama with norms over all queries and all keys, and experts in place of every feed-forward part.
import { z } from "zod"
import { dimension } from "../decoder-config.ts"
import { noExperts, sameLayers } from "../decoder-defaults.ts"
import { architecture } from "./architecture.ts"
import { usualExperts } from "./experts.ts"

export const olmoe = architecture({
  name: "OlmoeForCausalLM",
  modelType: "olmoe",
  fields: {
    num_experts: dimension,
    num_experts_per_tok: dimension,
    norm_topk_prob: z.boolean(),
    clip_qkv: z.number().positive().nullable(),
  },
  defaults: {
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    num_experts: 64,
    num_experts_per_tok: 8,
    norm_topk_prob: false,
    clip_qkv: null,
  },
  names: { inLayer: usualExperts.router, experts: usualExperts.experts },
  describe: (config, { nLayers }) => ({
    decoder: {
      qkNorm: "full",
      qkvClip: config.clip_qkv ?? 0,
      layers: sameLayers(nLayers, { hasExperts: true }),
      experts: {
        ...noExperts,
        nExperts: config.num_experts,
        nChosen: config.num_experts_per_tok,
        ffnWidth: config.intermediate_size,
        isNormalized: config.norm_topk_prob,
      },
    },
    biases: config.attention_bias ? ["q", "k", "v", "o"] : [],
  }),
})
