// Phi-3, Phi-3.5 and Phi-4: Llama with fused matrices and, for long texts, longrope.
import { sameLayers } from "../decoder-defaults.ts"
import { architecture } from "./architecture.ts"

export const phi3 = architecture({
  name: "Phi3ForCausalLM",
  modelType: "phi3",
  defaults: { max_position_embeddings: 4096, original_max_position_embeddings: 4096, rms_norm_eps: 1e-5 },
  names: { inLayer: { qkv: "self_attn.qkv_proj", gate_up: "mlp.gate_up_proj" } },
  describe: ({ sliding_window: window }, { nLayers }) => ({
    decoder: { qkv: "stacked", ffn: "gated_stacked", layers: sameLayers(nLayers, { window: window ?? 0 }) },
  }),
})
