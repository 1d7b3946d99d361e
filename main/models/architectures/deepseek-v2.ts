// DeepSeek-V2, V2-Lite and Coder-V2 (arXiv 2405.04434). norm_topk_prob has no effect in transformers, and is false in all that are published.
import { z } from "zod"
import { AppError } from "../../../shared/schema/error.ts"
import { architecture } from "./architecture.ts"
import { deepseekExperts, deepseekFields, deepseekNames, latentAttention, latentBiases, layersBehindDense } from "./deepseek.ts"

export const deepseekV2 = architecture({
  name: "DeepseekV2ForCausalLM",
  modelType: "deepseek_v2",
  fields: { ...deepseekFields, topk_method: z.string() },
  defaults: {
    max_position_embeddings: 2048,
    q_lora_rank: 1536,
    kv_lora_rank: 512,
    qk_nope_head_dim: 128,
    qk_rope_head_dim: 64,
    v_head_dim: 128,
    n_routed_experts: 64,
    n_shared_experts: 2,
    moe_intermediate_size: 1407,
    first_k_dense_replace: 0,
    routed_scaling_factor: 1,
    n_group: null,
    topk_group: null,
    topk_method: "greedy",
    norm_topk_prob: false,
  },
  names: deepseekNames,
  describe: (config, common) => {
    const { topk_method: method, n_group: groups, topk_group: bestGroups } = config
    const isGrouped = method === "group_limited_greedy"
    if (!isGrouped && method !== "greedy") {
      throw new AppError("unsupported", `Choosing experts by the method \`${method.slice(0, 40)}\` is not supported.`)
    }
    return {
      decoder: {
        ...latentAttention(config, common, true),
        layers: layersBehindDense(config, common.nLayers),
        experts: {
          ...deepseekExperts(config),
          ...(isGrouped ? { nGroups: groups ?? 1, nBestGroups: bestGroups ?? 1 } : {}),
        },
      },
      biases: [...(config.attention_bias ? latentBiases : []), ...(config.mlp_bias ? mlpBiases : [])],
    }
  },
})

const mlpBiases = ["gate", "up", "down", "shared.gate", "shared.up", "shared.down"] as const
