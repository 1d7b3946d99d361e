// OLMo 1: Llama with layer norms that have no weights.
import { z } from "zod"
import { architecture } from "./architecture.ts"

export const olmo = architecture({
  name: "OlmoForCausalLM",
  modelType: "olmo",
  fields: { clip_qkv: z.number().positive().nullish() },
  defaults: { max_position_embeddings: 2048 },
  describe: ({ clip_qkv: clip, attention_bias: hasBias }) => ({
    // Its epsilon is no field of the configuration.
    decoder: { norm: "layer", hasNormWeights: false, normEps: 1e-5, qkvClip: clip ?? 0 },
    biases: hasBias ? ["q", "k", "v", "o"] : [],
  }),
})
