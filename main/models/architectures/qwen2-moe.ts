// Qwen2-MoE (Qwen1.5-MoE-A2.7B and Qwen2-57B-A14B): Qwen2 with experts, one of which all tokens share, weighted by a gate of its own.
import { z } from "zod"
import type { NativeLayer } from "../../engine/native-decoder.ts"
import { type DecoderConfig, dimension } from "../decoder-config.ts"
import { noExperts, sameLayers } from "../decoder-defaults.ts"
import { architecture } from "./architecture.ts"
import { sharedExpertNames, sparseDefaults, sparseFields, usualExperts, withSparseLayers } from "./experts.ts"

export const qwen2Moe = architecture({
  name: "Qwen2MoeForCausalLM",
  modelType: "qwen2_moe",
  fields: {
    ...sparseFields,
    num_experts: dimension,
    num_experts_per_tok: dimension,
    moe_intermediate_size: dimension,
    shared_expert_intermediate_size: dimension,
    norm_topk_prob: z.boolean(),
    qkv_bias: z.boolean(),
  },
  defaults: {
    ...sparseDefaults,
    num_key_value_heads: 16,
    max_position_embeddings: 32768,
    sliding_window: 4096,
    max_window_layers: 28,
    num_experts: 60,
    num_experts_per_tok: 4,
    moe_intermediate_size: 1408,
    shared_expert_intermediate_size: 5632,
    norm_topk_prob: false,
    qkv_bias: true,
  },
  names: {
    inLayer: { ...usualExperts.router, shared_gate: "mlp.shared_expert_gate", ...sharedExpertNames("mlp.shared_expert") },
    experts: usualExperts.experts,
  },
  describe: (config, { nLayers }) => ({
    decoder: {
      layers: withSparseLayers(windowedLayers(config, nLayers), config),
      experts: {
        ...noExperts,
        nExperts: config.num_experts,
        nChosen: config.num_experts_per_tok,
        ffnWidth: config.moe_intermediate_size,
        sharedWidth: config.shared_expert_intermediate_size,
        hasSharedGate: true,
        isNormalized: config.norm_topk_prob,
      },
    },
    biases: config.qkv_bias ? ["q", "k", "v"] : [],
  }),
})

/** Other than in Qwen2, where `layer_types` is absent the layers before `max_window_layers` have windows, and of these every other. */
function windowedLayers(config: z.output<typeof DecoderConfig>, nLayers: number): NativeLayer[] {
  const { use_sliding_window: isUsed, sliding_window: window, max_window_layers: end, layer_types: types } = config
  const hasWindow = (i: number) => isUsed && (types ? types[i] === "sliding_attention" : i % 2 === 0 && i < (end ?? 0))
  return sameLayers(nLayers, {}).map((layer, i) => ({ ...layer, window: hasWindow(i) ? (window ?? 0) : 0 }))
}
