// Phi-1, 1.5 and 2: attention and feed-forward part side by side behind one norm, biases everywhere, a part of each head rotated.
import { z } from "zod"
import { architecture, type Role } from "./architecture.ts"

export const phi = architecture({
  name: "PhiForCausalLM",
  modelType: "phi",
  fields: { qk_layernorm: z.boolean().nullish() },
  renamed: { rms_norm_eps: "layer_norm_eps" },
  defaults: { layer_norm_eps: 1e-5, hidden_act: "gelu_new", max_position_embeddings: 2048, partial_rotary_factor: 0.5 },
  names: {
    ends: { final_norm: "final_layernorm" },
    inLayer: {
      o: "self_attn.dense",
      q_norm: "self_attn.q_layernorm",
      k_norm: "self_attn.k_layernorm",
      up: "mlp.fc1",
      down: "mlp.fc2",
    },
  },
  describe: (config, { rope }) => ({
    decoder: {
      norm: "layer",
      isParallel: true,
      hasSharedNorm: true,
      ...(config.qk_layernorm ? { qkNorm: "shared", qkNormKind: "layer" } : {}),
      ffn: "plain",
      ropes: [rope({ config })],
    },
    biases: [...all, ...(config.qk_layernorm ? qkNorms : [])],
  }),
})

const all: Role[] = ["attn_norm", "final_norm", "q", "k", "v", "o", "up", "down", "head"]
const qkNorms: Role[] = ["q_norm", "k_norm"]
