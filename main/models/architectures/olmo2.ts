// OLMo 2: Llama with norms behind attention and feed-forward part instead of before, and norms over all queries and all keys. OLMo 3 is
// the same with windows in three of four layers.
import { architecture, type Draft } from "./architecture.ts"
import { layerRopeFields, layerRopes, layersOf, slidingLayers } from "./layer-types.ts"

const shared: Pick<Draft<Record<never, never>>, "names"> = {
  names: { inLayer: { attn_post_norm: "post_attention_layernorm", mlp_post_norm: "post_feedforward_layernorm" } },
}

export const olmo2 = architecture({
  ...shared,
  name: "Olmo2ForCausalLM",
  modelType: "olmo2",
  defaults: { max_position_embeddings: 2048, rms_norm_eps: 1e-5 },
  describe: ({ attention_bias: hasBias }) => ({
    decoder: { normPlace: "after", qkNorm: "full" },
    biases: hasBias ? ["q", "k", "v", "o"] : [],
  }),
})

export const olmo3 = architecture({
  ...shared,
  name: "Olmo3ForCausalLM",
  modelType: "olmo3",
  fields: layerRopeFields,
  defaults: { max_position_embeddings: 2048, rms_norm_eps: 1e-5, sliding_window: 4096 },
  describe: (config, common) => {
    const theta = config.rope_theta ?? 10_000
    return {
      decoder: {
        normPlace: "after",
        qkNorm: "full",
        ropes: layerRopes(config, { full: theta, sliding: theta }, common),
        layers: layersOf(slidingLayers(common.nLayers, config.layer_types, 4), (isSliding) => ({
          window: isSliding ? (config.sliding_window ?? 0) : 0,
          rope: isSliding ? 1 : 0,
        })),
      },
      biases: config.attention_bias ? ["q", "k", "v", "o"] : [],
    }
  },
})
