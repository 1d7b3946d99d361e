// DeepSeek-V3 and R1 (arXiv 2412.19437): V2 with sigmoid scores, a correction that only chooses, and groups by their two best. Its further
// layers that predict the tokens after next are left out.
import { z } from "zod"
import { architecture } from "./architecture.ts"
import { deepseekExperts, deepseekFields, deepseekNames, latentAttention, latentBiases, layersBehindDense } from "./deepseek.ts"

export const deepseekV3 = architecture({
  name: "DeepseekV3ForCausalLM",
  modelType: "deepseek_v3",
  fields: { ...deepseekFields, rope_interleave: z.boolean().nullable() },
  defaults: {
    max_position_embeddings: 4096,
    q_lora_rank: 1536,
    kv_lora_rank: 512,
    qk_nope_head_dim: 128,
    qk_rope_head_dim: 64,
    v_head_dim: 128,
    n_routed_experts: 256,
    n_shared_experts: 1,
    num_experts_per_tok: 8,
    moe_intermediate_size: 2048,
    first_k_dense_replace: 3,
    routed_scaling_factor: 2.5,
    n_group: 8,
    topk_group: 4,
    norm_topk_prob: true,
    rope_interleave: true,
  },
  names: deepseekNames,
  describe: (config, common) => ({
    decoder: {
      ...latentAttention(config, common, config.rope_interleave ?? false),
      layers: layersBehindDense(config, common.nLayers),
      experts: {
        ...deepseekExperts(config),
        hasCorrection: true,
        isSigmoid: true,
        isNormalized: config.norm_topk_prob,
        isGroupByTwo: true,
        nGroups: config.n_group ?? 1,
        nBestGroups: config.topk_group ?? 1,
      },
    },
    biases: config.attention_bias ? latentBiases : [],
  }),
})
