// SmolLM3: Llama in which every fourth layer does not rotate.
import { z } from "zod"
import { architecture, type Role } from "./architecture.ts"
import { layerPattern, layersOf, slidingLayers } from "./layer-types.ts"

export const smollm3 = architecture({
  name: "SmolLM3ForCausalLM",
  modelType: "smollm3",
  // 1: rotates, 0: does not.
  fields: { no_rope_layers: z.array(z.int()).max(4096).nullish(), no_rope_layer_interval: layerPattern },
  defaults: { num_key_value_heads: 4, max_position_embeddings: 32768, tie_word_embeddings: true },
  describe: (config, { nLayers }) => {
    const { no_rope_layers: rotating, no_rope_layer_interval: interval, sliding_window: window, use_sliding_window: isUsed } = config
    const isRotating = (i: number) => (rotating ? rotating[i] !== 0 : (i + 1) % (interval ?? 4) !== 0)
    const isSliding = config.layer_types
      ? slidingLayers(nLayers, config.layer_types, 1)
      : Array.from({ length: nLayers }, (_, i) => Boolean(isUsed && window && !isRotating(i)))
    return {
      decoder: { layers: layersOf(isSliding, (is, i) => ({ window: is ? (window ?? 0) : 0, rope: isRotating(i) ? 0 : -1 })) },
      biases: [...(config.attention_bias ? attentionRoles : []), ...(config.mlp_bias ? mlpRoles : [])],
    }
  },
})

const attentionRoles: Role[] = ["q", "k", "v", "o"]
const mlpRoles: Role[] = ["gate", "up", "down"]
