// StableLM 2 and 3B: Llama with layer norms and a quarter of each head rotated; some have biases, norms of each head, or attention and
// feed-forward part side by side behind one norm (12B).
import { z } from "zod"
import { architecture, type Role } from "./architecture.ts"

const flag = z.boolean().nullish()

export const stablelm = architecture({
  name: "StableLmForCausalLM",
  modelType: "stablelm",
  fields: { use_qkv_bias: flag, qk_layernorm: flag, use_parallel_residual: flag },
  renamed: { rms_norm_eps: "layer_norm_eps" },
  defaults: { num_key_value_heads: 32, layer_norm_eps: 1e-5, max_position_embeddings: 4096, partial_rotary_factor: 0.25 },
  names: { inLayer: { q_norm: "self_attn.q_layernorm.norms.{h}", k_norm: "self_attn.k_layernorm.norms.{h}" } },
  describe: (config, { rope }) => ({
    decoder: {
      norm: "layer",
      isParallel: Boolean(config.use_parallel_residual),
      hasSharedNorm: Boolean(config.use_parallel_residual),
      ...(config.qk_layernorm ? { qkNorm: "own", qkNormKind: "layer" } : {}),
      ropes: [rope({ config })],
    },
    biases: [...norms, ...(config.use_qkv_bias ? inputs : [])],
  }),
})

const norms: Role[] = ["attn_norm", "mlp_norm", "final_norm"]
const inputs: Role[] = ["q", "k", "v"]
