// Mixtral: Mistral with experts in place of every feed-forward part.
import { dimension } from "../decoder-config.ts"
import { noExperts, sameLayers } from "../decoder-defaults.ts"
import { architecture } from "./architecture.ts"
import { fusedExperts, separateExperts } from "./experts.ts"

const fused = fusedExperts("mlp")

export const mixtral = architecture({
  name: "MixtralForCausalLM",
  modelType: "mixtral",
  fields: { num_local_experts: dimension, num_experts_per_tok: dimension },
  defaults: {
    num_key_value_heads: 8,
    max_position_embeddings: 131072,
    rms_norm_eps: 1e-5,
    rope_theta: 1e6,
    num_local_experts: 8,
    num_experts_per_tok: 2,
  },
  names: {
    inLayer: { router: "block_sparse_moe.gate" },
    experts: [
      separateExperts("block_sparse_moe", { gate: "w1", up: "w3", down: "w2" }),
      { ...fused, inLayer: { ...fused.inLayer, router: "mlp.gate" } },
    ],
  },
  describe: (config, { nLayers, rope }) => ({
    decoder: {
      ropes: [rope({ config })],
      layers: sameLayers(nLayers, { window: config.sliding_window ?? 0, hasExperts: true }),
      experts: {
        ...noExperts,
        nExperts: config.num_local_experts,
        nChosen: config.num_experts_per_tok,
        ffnWidth: config.intermediate_size,
        isNormalized: true,
      },
    },
  }),
})
