// The fields of config.json that all decoders have, by Llama's names. Limits are those of native/model/decoder.cc: far above any model.
import { z } from "zod"

export const dimension = z
  .int()
  .min(1)
  .max(1 << 24)

/** A count that may be 0. */
export const count = z
  .int()
  .nonnegative()
  .max(1 << 24)

export const DecoderConfig = z.looseObject({
  hidden_size: dimension,
  intermediate_size: dimension,
  num_hidden_layers: z.int().min(1).max(4096),
  num_attention_heads: dimension,
  num_key_value_heads: dimension.nullish(),
  head_dim: dimension.nullish(),
  vocab_size: dimension,
  max_position_embeddings: dimension,
  /** Epsilon of the norms, whatever their kind. */
  rms_norm_eps: z.number().nonnegative().max(1),
  hidden_act: z.string(),
  tie_word_embeddings: z.boolean(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  sliding_window: count.nullish(),
  use_sliding_window: z.boolean().nullish(),
  max_window_layers: z.int().nullish(),
  layer_types: z.array(z.string()).max(4096).nullish(),
})

/** Of every configuration class that is supported so far; sizes have none: a config that lacks them is damaged. */
export const decoderDefaults = { rms_norm_eps: 1e-6, hidden_act: "silu", tie_word_embeddings: false }
