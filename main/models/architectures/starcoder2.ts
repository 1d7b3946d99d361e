// StarCoder 2: layer norms, biases everywhere, a plain feed-forward part, a sliding window in every layer.
import { z } from "zod"
import { sameLayers } from "../decoder-defaults.ts"
import { architecture, type Role } from "./architecture.ts"

export const starcoder2 = architecture({
  name: "Starcoder2ForCausalLM",
  modelType: "starcoder2",
  fields: { use_bias: z.boolean() },
  renamed: { rms_norm_eps: "norm_epsilon" },
  defaults: {
    num_key_value_heads: 2,
    norm_epsilon: 1e-5,
    hidden_act: "gelu_pytorch_tanh",
    max_position_embeddings: 4096,
    use_bias: true,
    tie_word_embeddings: true,
  },
  names: { inLayer: { up: "mlp.c_fc", down: "mlp.c_proj" } },
  describe: ({ use_bias: hasBias, sliding_window: window }, { nLayers }) => ({
    decoder: { norm: "layer", ffn: "plain", layers: sameLayers(nLayers, { window: window ?? 0 }) },
    biases: [...norms, ...(hasBias ? matrices : [])],
  }),
})

const norms: Role[] = ["attn_norm", "mlp_norm", "final_norm"]
const matrices: Role[] = ["q", "k", "v", "o", "up", "down"]
