// Granite: Llama with factors on embeddings, residuals, attention and logits.
import { z } from "zod"
import { architecture, type Role } from "./architecture.ts"

const factor = z.number().positive()

export const granite = architecture({
  name: "GraniteForCausalLM",
  modelType: "granite",
  fields: { embedding_multiplier: factor, residual_multiplier: factor, attention_multiplier: factor, logits_scaling: factor },
  defaults: {
    max_position_embeddings: 2048,
    embedding_multiplier: 1,
    residual_multiplier: 1,
    attention_multiplier: 1,
    logits_scaling: 1,
  },
  describe: (config) => ({
    decoder: {
      embedScale: config.embedding_multiplier,
      residualScale: config.residual_multiplier,
      attentionScale: config.attention_multiplier,
      logitScale: 1 / config.logits_scaling,
    },
    biases: [...(config.attention_bias ? attentionRoles : []), ...(config.mlp_bias ? mlpRoles : [])],
  }),
})

const attentionRoles: Role[] = ["q", "k", "v", "o"]
const mlpRoles: Role[] = ["gate", "up", "down"]
