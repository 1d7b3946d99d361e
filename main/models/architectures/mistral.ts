// Mistral: Llama with a sliding window in every layer (absent or null in newer checkpoints).
import type { Architecture } from "./architecture.ts"

export const mistral: Architecture = {
  name: "MistralForCausalLM",
  modelType: "mistral",
  defaults: { num_key_value_heads: 8, max_position_embeddings: 131072, sliding_window: 4096 },
  switches: (config) => ({ slidingWindow: config.sliding_window ?? 0, biases: { qkv: false, output: false, mlp: false } }),
}
