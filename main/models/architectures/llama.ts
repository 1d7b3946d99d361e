// Llama 1, 2 and 3, and the many models that share their layout.
import type { Architecture } from "./architecture.ts"

export const llama: Architecture = {
  name: "LlamaForCausalLM",
  modelType: "llama",
  defaults: { max_position_embeddings: 2048 },
  switches: (config) => ({
    slidingWindow: 0,
    biases: { qkv: config.attention_bias ?? false, output: config.attention_bias ?? false, mlp: config.mlp_bias ?? false },
  }),
}
