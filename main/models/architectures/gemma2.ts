// Gemma 2 (arXiv 2408.00118): norms before and after, soft caps, a window in every other layer.
import { z } from "zod"
import { architecture } from "./architecture.ts"
import { gemmaBiases, gemmaDecoder, gemmaDefaults, gemmaFields } from "./gemma.ts"
import { layersOf, slidingLayers } from "./layer-types.ts"

const positive = z.number().positive()

export const gemmaNorms = {
  attn_post_norm: "post_attention_layernorm",
  mlp_norm: "pre_feedforward_layernorm",
  mlp_post_norm: "post_feedforward_layernorm",
}

export const gemma2Fields = {
  ...gemmaFields,
  query_pre_attn_scalar: positive,
  attn_logit_softcapping: positive.nullish(),
  final_logit_softcapping: positive.nullish(),
}

export const gemma2 = architecture({
  name: "Gemma2ForCausalLM",
  modelType: "gemma2",
  fields: gemma2Fields,
  renamed: { hidden_act: "hidden_activation" },
  defaults: {
    ...gemmaDefaults,
    num_key_value_heads: 4,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
  },
  names: { inLayer: gemmaNorms },
  describe: (config, { nLayers }) => ({
    decoder: {
      ...gemmaDecoder(config),
      normPlace: "around",
      attentionScale: config.query_pre_attn_scalar ** -0.5,
      attentionSoftcap: config.attn_logit_softcapping ?? 0,
      logitSoftcap: config.final_logit_softcapping ?? 0,
      layers: layersOf(slidingLayers(nLayers, config.layer_types, 2), (isSliding) => ({
        window: isSliding ? (config.sliding_window ?? 0) : 0,
      })),
    },
    biases: gemmaBiases(config),
  }),
})
