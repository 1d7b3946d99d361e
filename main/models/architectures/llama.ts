// Llama 1, 2 and 3, and the many models that share their layout.
import { architecture, type Role } from "./architecture.ts"

export const llama = architecture({
  name: "LlamaForCausalLM",
  modelType: "llama",
  defaults: { max_position_embeddings: 2048 },
  describe: ({ attention_bias: hasAttentionBias, mlp_bias: hasMlpBias }) => ({
    biases: [...(hasAttentionBias ? attentionRoles : []), ...(hasMlpBias ? mlpRoles : [])],
  }),
})

const attentionRoles: Role[] = ["q", "k", "v", "o"]
const mlpRoles: Role[] = ["gate", "up", "down"]
