// Gemma 3, the text model: Gemma 2 with norms of queries and keys instead of caps, and a rotary embedding of its own where windows are.
import { architecture, type Draft } from "./architecture.ts"
import { gemmaBiases, gemmaDecoder, gemmaDefaults } from "./gemma.ts"
import { gemma2Fields, gemmaNorms } from "./gemma2.ts"
import { layerPattern, layerRopeFields, layerRopes, layersOf, slidingLayers } from "./layer-types.ts"

const fields = {
  ...gemma2Fields,
  sliding_window_pattern: layerPattern,
  ...layerRopeFields,
}

const shared: Omit<Draft<typeof fields>, "name" | "modelType"> = {
  fields,
  renamed: { hidden_act: "hidden_activation" },
  defaults: {
    ...gemmaDefaults,
    vocab_size: 262208,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    max_position_embeddings: 131072,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
  },
  describe: (config, common) => ({
    decoder: {
      ...gemmaDecoder(config),
      normPlace: "around",
      qkNorm: "shared",
      attentionScale: config.query_pre_attn_scalar ** -0.5,
      attentionSoftcap: config.attn_logit_softcapping ?? 0,
      logitSoftcap: config.final_logit_softcapping ?? 0,
      ropes: layerRopes(config, { full: 1_000_000, sliding: 10_000 }, common),
      layers: layersOf(slidingLayers(common.nLayers, config.layer_types, config.sliding_window_pattern ?? 6), (isSliding) => ({
        window: isSliding ? (config.sliding_window ?? 0) : 0,
        rope: isSliding ? 1 : 0,
      })),
    },
    biases: gemmaBiases(config),
  }),
}

export const gemma3Text = architecture({
  ...shared,
  name: "Gemma3ForCausalLM",
  modelType: "gemma3_text",
  names: { inLayer: gemmaNorms },
})

/** The same within a model that also sees; what it sees with is left aside. */
export const gemma3 = architecture({
  ...shared,
  name: "Gemma3ForConditionalGeneration",
  modelType: "gemma3",
  part: "text_config",
  names: { prefix: "model.language_model.", otherPrefixes: ["language_model.model."], inLayer: gemmaNorms },
})
