// GPT-NeoX (Pythia, Dolly, StableLM-alpha, RedPajama-INCITE): queries, keys and values by head, attention and feed-forward part side by
// side unless told otherwise, each behind its norm; a quarter of each head is rotated.
import { z } from "zod"
import { architecture, type Role } from "./architecture.ts"

const share = z.number().positive().max(1)

export const gptNeox = architecture({
  name: "GPTNeoXForCausalLM",
  modelType: "gpt_neox",
  fields: { rotary_pct: share, rotary_emb_base: z.number().positive(), use_parallel_residual: z.boolean() },
  renamed: { rms_norm_eps: "layer_norm_eps" },
  defaults: {
    layer_norm_eps: 1e-5,
    hidden_act: "gelu",
    max_position_embeddings: 2048,
    attention_bias: true,
    use_parallel_residual: true,
    rotary_pct: 0.25,
    rotary_emb_base: 10_000,
  },
  names: {
    prefix: "gpt_neox.",
    ends: { embed: "embed_in", final_norm: "final_layer_norm", head: "embed_out" },
    inLayer: { qkv: "attention.query_key_value", o: "attention.dense", up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h" },
  },
  describe: (config, { rope }) => ({
    decoder: {
      norm: "layer",
      isParallel: config.use_parallel_residual,
      qkv: "grouped",
      ffn: "plain",
      ropes: [rope({ config: { ...config, partial_rotary_factor: config.rotary_pct, rope_theta: config.rotary_emb_base } })],
    },
    biases: [...norms, ...(config.attention_bias ? attentionRoles : []), "up", "down"],
  }),
})

const norms: Role[] = ["attn_norm", "mlp_norm", "final_norm"]
const attentionRoles: Role[] = ["qkv", "o"]
