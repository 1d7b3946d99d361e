// Granite-MoE (Granite 3.x of 1B and 3B): Granite with experts in place of every feed-forward part.
import { z } from "zod"
import { dimension } from "../decoder-config.ts"
import { noExperts, sameLayers } from "../decoder-defaults.ts"
import { architecture } from "./architecture.ts"
import { fusedExperts } from "./experts.ts"

const factor = z.number().positive()
const current = fusedExperts("block_sparse_moe")

export const graniteMoe = architecture({
  name: "GraniteMoeForCausalLM",
  modelType: "granitemoe",
  fields: {
    embedding_multiplier: factor,
    residual_multiplier: factor,
    attention_multiplier: factor,
    logits_scaling: factor,
    num_local_experts: dimension,
    num_experts_per_tok: dimension,
  },
  defaults: {
    max_position_embeddings: 2048,
    embedding_multiplier: 1,
    residual_multiplier: 1,
    attention_multiplier: 1,
    logits_scaling: 1,
    num_local_experts: 8,
    num_experts_per_tok: 2,
  },
  names: {
    inLayer: { router: "block_sparse_moe.router.layer" },
    experts: [
      {
        layout: "gated_stacked",
        inLayer: {
          "experts.gate_up": { parameter: "block_sparse_moe.input_linear.weight" },
          "experts.down": { parameter: "block_sparse_moe.output_linear.weight" },
        },
      },
      { ...current, inLayer: { ...current.inLayer, router: "block_sparse_moe.router" } },
    ],
  },
  describe: (config, { nLayers }) => ({
    decoder: {
      embedScale: config.embedding_multiplier,
      residualScale: config.residual_multiplier,
      attentionScale: config.attention_multiplier,
      logitScale: 1 / config.logits_scaling,
      layers: sameLayers(nLayers, { hasExperts: true }),
      experts: {
        ...noExperts,
        nExperts: config.num_local_experts,
        nChosen: config.num_experts_per_tok,
        ffnWidth: config.intermediate_size,
        // The softmax of the chosen logits alone.
        isNormalized: true,
      },
    },
    biases: config.attention_bias ? ["q", "k", "v", "o"] : [],
  }),
})
