// GPT-J: attention and feed-forward part side by side behind one norm, interleaved rotation of a part of each head, a head with a bias.
import { dimension } from "../decoder-config.ts"
import type { Rotary } from "../rope.ts"
import { architecture, type DecoderChange, type Role } from "./architecture.ts"
import { gpt2Names, gptDefaults, gptFields } from "./gpt2.ts"

export const gptjBiases: Role[] = ["attn_norm", "final_norm", "up", "down", "head"]

export function gptjDecoder(rope: Rotary): DecoderChange {
  return { norm: "layer", isParallel: true, hasSharedNorm: true, ffn: "plain", ropes: [rope] }
}

export const gptj = architecture({
  name: "GPTJForCausalLM",
  modelType: "gptj",
  fields: { rotary_dim: dimension },
  renamed: gptFields,
  defaults: { ...gptDefaults, n_positions: 2048, rotary_dim: 64 },
  isFfnFourfold: true,
  names: {
    ...gpt2Names,
    inLayer: {
      attn_norm: "ln_1",
      q: "attn.q_proj",
      k: "attn.k_proj",
      v: "attn.v_proj",
      o: "attn.out_proj",
      up: "mlp.fc_in",
      down: "mlp.fc_out",
    },
  },
  describe: ({ rotary_dim: rotaryDim }, { rope }) => ({
    decoder: gptjDecoder(rope({ rotaryDim, isInterleaved: true })),
    biases: gptjBiases,
  }),
})
