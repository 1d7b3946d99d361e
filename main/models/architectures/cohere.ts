// Cohere, Command-R: parallel blocks with one layer norm, interleaved rotation. Cohere 2 (Command-R7B): a window in three of four layers;
// the others do not rotate.
import { z } from "zod"
import { architecture, type Role } from "./architecture.ts"
import { layerPattern, layersOf, slidingLayers } from "./layer-types.ts"

const attentionRoles: Role[] = ["q", "k", "v", "o"]
const block = { norm: "layer", isParallel: true, hasSharedNorm: true } as const

export const cohere = architecture({
  name: "CohereForCausalLM",
  modelType: "cohere",
  fields: { logit_scale: z.number().positive().nullish(), use_qk_norm: z.boolean().nullish() },
  renamed: { rms_norm_eps: "layer_norm_eps" },
  defaults: { max_position_embeddings: 8192, layer_norm_eps: 1e-5, tie_word_embeddings: true, logit_scale: 0.0625 },
  describe: ({ logit_scale: scale, use_qk_norm: hasQkNorm, attention_bias: hasBias }, { rope }) => ({
    decoder: {
      ...block,
      ...(hasQkNorm ? { qkNorm: "own", qkNormKind: "layer" } : {}),
      logitScale: scale ?? 1,
      ropes: [rope({ isInterleaved: true })],
    },
    biases: hasBias ? attentionRoles : [],
  }),
})

export const cohere2 = architecture({
  name: "Cohere2ForCausalLM",
  modelType: "cohere2",
  fields: { logit_scale: z.number().positive().nullish(), sliding_window_pattern: layerPattern },
  renamed: { rms_norm_eps: "layer_norm_eps" },
  defaults: { max_position_embeddings: 8192, layer_norm_eps: 1e-5, tie_word_embeddings: true, logit_scale: 0.0625, sliding_window: 4096 },
  describe: (config, { nLayers, rope }) => ({
    decoder: {
      ...block,
      logitScale: config.logit_scale ?? 1,
      ropes: [rope({ isInterleaved: true })],
      layers: layersOf(slidingLayers(nLayers, config.layer_types, config.sliding_window_pattern ?? 4), (isSliding) => ({
        window: isSliding ? (config.sliding_window ?? 0) : 0,
        rope: isSliding ? 0 : -1,
      })),
    },
    biases: config.attention_bias ? attentionRoles : [],
  }),
})
