// OPT: learned positions from the third row on, biases everywhere. 350M has its norms on the residual and an embedding of another width.
import { z } from "zod"
import { dimension } from "../decoder-config.ts"
import { sameLayers } from "../decoder-defaults.ts"
import { architecture, type Role } from "./architecture.ts"

/** Rows of the table of positions that none has. */
const firstPosition = 2

export const opt = architecture({
  name: "OPTForCausalLM",
  modelType: "opt",
  fields: {
    word_embed_proj_dim: dimension.nullish(),
    do_layer_norm_before: z.boolean(),
    _remove_final_layer_norm: z.boolean(),
    enable_bias: z.boolean(),
    layer_norm_elementwise_affine: z.boolean(),
  },
  renamed: { intermediate_size: "ffn_dim", hidden_act: "activation_function" },
  defaults: {
    // No field of the configuration, but what PyTorch's layer norm has.
    rms_norm_eps: 1e-5,
    activation_function: "relu",
    max_position_embeddings: 2048,
    tie_word_embeddings: true,
    do_layer_norm_before: true,
    _remove_final_layer_norm: false,
    enable_bias: true,
    layer_norm_elementwise_affine: true,
  },
  names: {
    prefix: "model.decoder.",
    otherPrefixes: ["decoder.", ""],
    ends: { positions: "embed_positions", embed_in: "project_in", embed_out: "project_out", final_norm: "final_layer_norm" },
    inLayer: { attn_norm: "self_attn_layer_norm", o: "self_attn.out_proj", mlp_norm: "final_layer_norm", up: "fc1", down: "fc2" },
  },
  describe: (config, { width, nLayers, maxContext }) => ({
    decoder: {
      embedWidth: config.word_embed_proj_dim ?? width,
      norm: "layer",
      normPlace: config.do_layer_norm_before ? "before" : "on_residual",
      hasNormWeights: config.layer_norm_elementwise_affine,
      hasFinalNorm: config.do_layer_norm_before && !config._remove_final_layer_norm,
      ffn: "plain",
      nPositions: maxContext + firstPosition,
      firstPosition,
      layers: sameLayers(nLayers, { rope: -1 }),
    },
    biases: [...norms, ...(config.enable_bias ? matrices : [])],
  }),
})

const norms: Role[] = ["attn_norm", "mlp_norm", "final_norm"]
const matrices: Role[] = ["q", "k", "v", "o", "up", "down"]
