// InternLM2 (arXiv 2403.17297): Llama with queries, keys and values in one matrix, by key/value head, and names of its own.
import { z } from "zod"
import { architecture } from "./architecture.ts"

export const internlm2 = architecture({
  name: "InternLM2ForCausalLM",
  modelType: "internlm2",
  fields: { bias: z.boolean().nullish() },
  defaults: { max_position_embeddings: 2048, bias: true },
  names: {
    ends: { embed: "tok_embeddings", head: "output" },
    inLayer: {
      attn_norm: "attention_norm",
      qkv: "attention.wqkv",
      o: "attention.wo",
      mlp_norm: "ffn_norm",
      gate: "feed_forward.w1",
      up: "feed_forward.w3",
      down: "feed_forward.w2",
    },
  },
  describe: ({ bias: hasBias }) => ({ decoder: { qkv: "grouped" }, biases: hasBias ? ["qkv", "o"] : [] }),
})
