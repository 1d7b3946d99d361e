// GPT-2: learned positions, layer norms, biases everywhere, a plain feed-forward part. Its matrices are held transposed (Conv1D).
import { z } from "zod"
import { sameLayers } from "../decoder-defaults.ts"
import { architecture, type Draft, type Role } from "./architecture.ts"

/** What the GPT family calls the common fields. */
export const gptFields: Record<string, string> = {
  hidden_size: "n_embd",
  intermediate_size: "n_inner",
  num_hidden_layers: "n_layer",
  num_attention_heads: "n_head",
  max_position_embeddings: "n_positions",
  rms_norm_eps: "layer_norm_epsilon",
  hidden_act: "activation_function",
}

export const gptDefaults = { layer_norm_epsilon: 1e-5, activation_function: "gelu_new" }

export const gpt2Names: NonNullable<Draft<Record<never, never>>["names"]> = {
  prefix: "transformer.",
  layers: "h",
  ends: { embed: "wte", positions: "wpe", final_norm: "ln_f" },
  inLayer: { attn_norm: "ln_1", qkv: "attn.c_attn", o: "attn.c_proj", mlp_norm: "ln_2", up: "mlp.c_fc", down: "mlp.c_proj" },
}

export const gpt2Norms: Role[] = ["attn_norm", "mlp_norm", "final_norm"]
export const gpt2Matrices: Role[] = ["qkv", "o", "up", "down"]

export const gpt2 = architecture({
  name: "GPT2LMHeadModel",
  modelType: "gpt2",
  fields: { scale_attn_weights: z.boolean().nullish(), scale_attn_by_inverse_layer_idx: z.boolean().nullish() },
  renamed: gptFields,
  defaults: { ...gptDefaults, n_positions: 1024, tie_word_embeddings: true },
  isFfnFourfold: true,
  names: gpt2Names,
  describe: (config, { nLayers, headDim, maxContext }) => {
    const scale = config.scale_attn_weights === false ? 1 : headDim ** -0.5
    const layers = sameLayers(nLayers, { rope: -1 })
    return {
      decoder: {
        norm: "layer",
        qkv: "stacked",
        ffn: "plain",
        attentionScale: scale,
        nPositions: maxContext,
        layers: config.scale_attn_by_inverse_layer_idx ? layers.map((layer, i) => ({ ...layer, attentionScale: scale / (i + 1) })) : layers,
      },
      biases: [...gpt2Norms, ...gpt2Matrices],
      transposed: gpt2Matrices,
    }
  },
})
