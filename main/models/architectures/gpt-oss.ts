// gpt-oss: sinks in the attention, a window in every other layer, biases nearly everywhere, and experts with a clamped gate whose gate and
// up rows take turns. In 16 bits the experts lie as [experts, in, out]; in MXFP4, as published, as [experts, out, in] (microscaling.ts).
import { z } from "zod"
import { dimension } from "../decoder-config.ts"
import { noExperts } from "../decoder-defaults.ts"
import { architecture, type ExpertsForm } from "./architecture.ts"

const yarn = { rope_type: "yarn", factor: 32, beta_fast: 32, beta_slow: 1, truncate: false, original_max_position_embeddings: 4096 }

const pairs: ExpertsForm = {
  layout: "gated_pairs",
  inLayer: {
    "experts.gate_up": { parameter: "mlp.experts.gate_up_proj", bias: "mlp.experts.gate_up_proj_bias" },
    "experts.down": { parameter: "mlp.experts.down_proj", bias: "mlp.experts.down_proj_bias" },
  },
  transposed: ["experts.gate_up", "experts.down"],
}

/** As bitsandbytes checkpoints for fine-tuning are published: a linear layer for each expert, so that each can be in 4 bits. */
const split: ExpertsForm = {
  layout: "gated_pairs",
  inLayer: {
    router: "mlp.router.linear",
    "experts.gate_up": "mlp.experts.gate_up_projs.{e}",
    "experts.down": "mlp.experts.down_projs.{e}",
  },
}

export const gptOss = architecture({
  name: "GptOssForCausalLM",
  modelType: "gpt_oss",
  fields: {
    num_local_experts: dimension,
    num_experts_per_tok: dimension,
    swiglu_limit: z.number().positive(),
    swiglu_alpha: z.number().positive(),
  },
  defaults: {
    num_key_value_heads: 8,
    head_dim: 64,
    max_position_embeddings: 131072,
    rms_norm_eps: 1e-5,
    attention_bias: true,
    sliding_window: 128,
    rope_theta: 150000,
    rope_parameters: yarn,
    num_local_experts: 128,
    num_experts_per_tok: 4,
    swiglu_limit: 7,
    swiglu_alpha: 1.702,
  },
  names: { inLayer: { sinks: { parameter: "self_attn.sinks" }, router: "mlp.router" }, experts: [pairs, split] },
  describe: (config, { nLayers, rope }) => ({
    decoder: {
      hasSinks: true,
      ropes: [rope({ config })],
      layers: Array.from({ length: nLayers }, (_, i) => {
        const type = config.layer_types ? config.layer_types[i] : i % 2 === 0 ? "sliding_attention" : "full_attention"
        return { window: type === "sliding_attention" ? (config.sliding_window ?? 0) : 0, rope: 0, hasExperts: true }
      }),
      gateLimit: config.swiglu_limit,
      gateAlpha: config.swiglu_alpha,
      experts: {
        ...noExperts,
        nExperts: config.num_local_experts,
        nChosen: config.num_experts_per_tok,
        ffnWidth: config.intermediate_size,
        // The softmax of the chosen logits alone.
        isNormalized: true,
      },
    },
    biases: [...(config.attention_bias ? (["q", "k", "v", "o"] as const) : []), "router", "experts.gate_up", "experts.down"],
  }),
})
