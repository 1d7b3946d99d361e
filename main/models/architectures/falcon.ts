// Falcon. 7B: one key/value head, attention and feed-forward part side by side behind one norm. 40B, 180B ("new decoder architecture"):
// groups of heads, a norm for each part; 11B: one for both. RW: linear biases, all heads their own keys, one part after the other.
import { z } from "zod"
import { dimension } from "../decoder-config.ts"
import { sameLayers } from "../decoder-defaults.ts"
import { alibiSlopes } from "./alibi.ts"
import { architecture } from "./architecture.ts"
import { megatronMatrices, megatronNames, megatronNorms } from "./bloom.ts"

const flag = z.boolean().nullish()

export const falcon = architecture({
  name: "FalconForCausalLM",
  modelType: "falcon",
  fields: {
    num_kv_heads: dimension.nullish(),
    num_ln_in_parallel_attn: z.int().nullish(),
    alibi: flag,
    new_decoder_architecture: flag,
    multi_query: flag,
    parallel_attn: flag,
    bias: flag,
  },
  renamed: { intermediate_size: "ffn_hidden_size", rms_norm_eps: "layer_norm_epsilon", hidden_act: "activation" },
  defaults: {
    max_position_embeddings: 2048,
    layer_norm_epsilon: 1e-5,
    activation: "gelu",
    multi_query: true,
    parallel_attn: true,
    tie_word_embeddings: true,
  },
  isFfnFourfold: true,
  names: megatronNames,
  describe: (config, { nLayers, nHeads, headDim }) => {
    const { new_decoder_architecture: isNew, alibi: hasAlibi, multi_query: hasOneKey, parallel_attn: isParallel } = config
    const hasTwoNorms = Boolean(isNew && (config.num_ln_in_parallel_attn ?? 2) === 2)
    return {
      decoder: {
        nKvHeads: isNew ? (config.num_kv_heads ?? nHeads) : hasOneKey ? 1 : nHeads,
        norm: "layer",
        isParallel: Boolean(isParallel),
        hasSharedNorm: Boolean(isParallel) && !hasTwoNorms,
        qkv: "grouped",
        ffn: "plain",
        // The bias is added before the score is scaled. transformers rounds slopes and products to bf16, which shows where slopes are no
        // powers of two, and beyond 256 positions; here they are exact.
        ...(hasAlibi
          ? { alibiSlopes: alibiSlopes(nHeads).map((slope) => slope / Math.sqrt(headDim)), layers: sameLayers(nLayers, { rope: -1 }) }
          : {}),
      },
      ...(hasTwoNorms ? { inLayer: { attn_norm: "ln_attn", mlp_norm: "ln_mlp" } } : {}),
      biases: [...megatronNorms, ...(config.bias ? megatronMatrices : [])],
    }
  },
})
