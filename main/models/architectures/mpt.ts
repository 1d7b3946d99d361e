// MPT: linear biases instead of positions, nothing else with a bias, queries, keys and values stacked.
import { z } from "zod"
import { AppError } from "../../../shared/schema/error.ts"
import { dimension } from "../decoder-config.ts"
import { sameLayers } from "../decoder-defaults.ts"
import { mptSlopes } from "./alibi.ts"
import { architecture, type Draft, type Settings } from "./architecture.ts"

const positive = z.number().positive()
const flag = z.boolean().nullish()

const fields = {
  attn_config: z.looseObject({
    attn_type: z.string().nullish(),
    alibi: flag,
    alibi_bias_max: positive.nullish(),
    clip_qkv: positive.nullish(),
    qk_ln: flag,
    rope: flag,
    softmax_scale: positive.nullish(),
  }),
  ffn_config: z.looseObject({ ffn_type: z.string().nullish() }).nullish(),
  expansion_ratio: dimension.nullish(),
  no_bias: flag,
  norm_type: z.string().nullish(),
  logit_scale: z.union([z.number(), z.string()]).nullish(),
}

const draft: Omit<Draft<typeof fields>, "name"> = {
  modelType: "mpt",
  fields,
  renamed: {
    hidden_size: "d_model",
    num_hidden_layers: "n_layers",
    num_attention_heads: "n_heads",
    max_position_embeddings: "max_seq_len",
    rms_norm_eps: "layer_norm_epsilon",
  },
  defaults: { max_seq_len: 2048, layer_norm_epsilon: 1e-5, tie_word_embeddings: true, attn_config: {} },
  isFfnFourfold: true,
  names: {
    prefix: "transformer.",
    layers: "blocks",
    ends: { embed: "wte", final_norm: "norm_f" },
    inLayer: { attn_norm: "norm_1", qkv: "attn.Wqkv", o: "attn.out_proj", mlp_norm: "norm_2", up: "ffn.up_proj", down: "ffn.down_proj" },
  },
  describe: (config, { width, nLayers, nHeads }) => {
    const { attn_config: attention } = config
    refuseVariants(config)
    return {
      decoder: {
        norm: "layer",
        qkv: "stacked",
        qkvClip: attention.clip_qkv ?? 0,
        ...(attention.softmax_scale ? { attentionScale: attention.softmax_scale } : {}),
        // transformers takes 8 whatever the configuration says; MPT-StoryWriter was trained with 16.
        alibiSlopes: mptSlopes(nHeads, attention.alibi_bias_max ?? 8),
        ffnWidth: (config.expansion_ratio ?? 4) * width,
        ffn: "plain",
        activation: "gelu",
        layers: sameLayers(nLayers, { rope: -1 }),
      },
    }
  },
}

/** What MPT's own code can be told, but no model of the family that transformers runs has. */
function refuseVariants(config: Settings<typeof fields>): void {
  const { attn_config: attention, ffn_config: feedForward, no_bias: hasNoBias, norm_type: norm, logit_scale: logitScale } = config
  const variants: [is: boolean, name: string][] = [
    [attention.alibi === false, "`alibi` off"],
    [attention.qk_ln === true, "`qk_ln`"],
    [attention.rope === true, "`rope`"],
    [(attention.attn_type ?? "multihead_attention") !== "multihead_attention", "an `attn_type` other than multihead_attention"],
    [(feedForward?.ffn_type ?? "mptmlp") !== "mptmlp", "an `ffn_type` other than mptmlp"],
    [hasNoBias === false, "`no_bias` off"],
    [!(norm ?? "layernorm").endsWith("layernorm"), "a `norm_type` other than layernorm"],
    [logitScale != null, "`logit_scale`"],
  ]
  const variant = variants.find(([is]) => is)
  if (variant) throw new AppError("unsupported", `MPT with ${variant[1]} is not supported yet.`)
}

export const mpt = architecture({ ...draft, name: "MptForCausalLM" })
/** By the name that MPT's own code has. */
export const originalMpt = architecture({ ...draft, name: "MPTForCausalLM" })
