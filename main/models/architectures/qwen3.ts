// Qwen3: Llama with norms of queries and keys, and heads whose width is apart from the model's.
import { architecture, type Role } from "./architecture.ts"
import { windowedLayers } from "./qwen2.ts"

export const qwen3 = architecture({
  name: "Qwen3ForCausalLM",
  modelType: "qwen3",
  defaults: {
    num_key_value_heads: 32,
    head_dim: 128,
    max_position_embeddings: 32768,
    sliding_window: 4096,
    max_window_layers: 28,
  },
  describe: (config, { nLayers }) => ({
    decoder: { qkNorm: "shared", layers: windowedLayers(config, nLayers) },
    biases: config.attention_bias ? attentionRoles : [],
  }),
})

const attentionRoles: Role[] = ["q", "k", "v", "o"]
