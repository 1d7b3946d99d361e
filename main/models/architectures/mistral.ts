// Mistral: Llama with a sliding window in every layer (absent or null in newer checkpoints).
import { sameLayers } from "../decoder-defaults.ts"
import { architecture } from "./architecture.ts"

export const mistral = architecture({
  name: "MistralForCausalLM",
  modelType: "mistral",
  defaults: { num_key_value_heads: 8, max_position_embeddings: 131072, sliding_window: 4096 },
  describe: ({ sliding_window: window }, { nLayers }) => ({ decoder: { layers: sameLayers(nLayers, { window: window ?? 0 }) } }),
})
