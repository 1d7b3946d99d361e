// Qwen2 and Qwen2.5: Llama with biases on q, k and v, and a sliding window that is off unless asked for.
import { AppError } from "../../../shared/schema/error.ts"
import type { Architecture, DecoderSettings } from "./architecture.ts"

export const qwen2: Architecture = {
  name: "Qwen2ForCausalLM",
  modelType: "qwen2",
  defaults: { num_key_value_heads: 32, max_position_embeddings: 32768, sliding_window: 4096, max_window_layers: 28 },
  switches: (config, maxContext) => ({
    slidingWindow: slidingWindow(config, maxContext),
    biases: { qkv: true, output: false, mlp: false },
  }),
}

/** The decoder has one window for all layers; `layer_types`, where given, decides over `max_window_layers`. */
function slidingWindow(config: DecoderSettings, maxContext: number): number {
  const { use_sliding_window: isUsed, sliding_window: window, max_window_layers: firstWindowed, num_hidden_layers: layers } = config
  if (!isUsed || !window) return 0
  const windowed = config.layer_types
    ? config.layer_types.filter((type) => type === "sliding_attention").length
    : Math.max(0, layers - Math.max(0, firstWindowed ?? 0))
  if (windowed === 0 || window >= maxContext) return 0
  if (windowed === layers) return window
  throw new AppError("unsupported", `A sliding window in ${windowed} of ${layers} layers is not supported yet.`)
}
