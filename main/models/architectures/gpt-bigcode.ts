// GPT BigCode (SantaCoder, StarCoder): GPT-2 with one key/value head for all, and matrices that are not transposed.
import { z } from "zod"
import { sameLayers } from "../decoder-defaults.ts"
import { architecture } from "./architecture.ts"
import { gpt2Matrices, gpt2Names, gpt2Norms, gptDefaults, gptFields } from "./gpt2.ts"

export const gptBigcode = architecture({
  name: "GPTBigCodeForCausalLM",
  modelType: "gpt_bigcode",
  fields: { multi_query: z.boolean(), scale_attn_weights: z.boolean().nullish() },
  renamed: gptFields,
  defaults: {
    ...gptDefaults,
    activation_function: "gelu_pytorch_tanh",
    n_positions: 1024,
    tie_word_embeddings: true,
    multi_query: true,
  },
  isFfnFourfold: true,
  names: gpt2Names,
  describe: ({ multi_query: hasOneKey, scale_attn_weights: isScaled }, { nLayers, nHeads, maxContext }) => ({
    decoder: {
      norm: "layer",
      nKvHeads: hasOneKey ? 1 : nHeads,
      qkv: "grouped",
      ffn: "plain",
      ...(isScaled === false ? { attentionScale: 1 } : {}),
      nPositions: maxContext,
      layers: sameLayers(nLayers, { rope: -1 }),
    },
    biases: [...gpt2Norms, ...gpt2Matrices],
  }),
})
