// Qwen2 and Qwen2.5: Llama with biases on q, k and v, and a sliding window that is off unless asked for.
import type { NativeLayer } from "../../engine/native-decoder.ts"
import { sameLayers } from "../decoder-defaults.ts"
import { architecture, type Settings } from "./architecture.ts"

export const qwen2 = architecture({
  name: "Qwen2ForCausalLM",
  modelType: "qwen2",
  defaults: { num_key_value_heads: 32, max_position_embeddings: 32768, sliding_window: 4096, max_window_layers: 28 },
  describe: (config, { nLayers }) => ({ decoder: { layers: windowedLayers(config, nLayers) }, biases: ["q", "k", "v"] }),
})

/** `layer_types`, where given, decides over `max_window_layers`, the number of layers before the first with a window. */
export function windowedLayers(config: Settings<Record<never, never>>, nLayers: number): NativeLayer[] {
  const { use_sliding_window: isUsed, sliding_window: window, max_window_layers: first, layer_types: types } = config
  const hasWindow = (i: number) => isUsed && (types ? types[i] === "sliding_attention" : i >= (first ?? 0))
  return sameLayers(nLayers, {}).map((layer, i) => ({ ...layer, window: hasWindow(i) ? (window ?? 0) : 0 }))
}
