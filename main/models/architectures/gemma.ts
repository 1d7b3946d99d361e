// Gemma: norms store their weight less 1, embeddings are scaled, the gate is GELU.
import { z } from "zod"
import type { DecoderChange, Role } from "./architecture.ts"
import { architecture } from "./architecture.ts"

/** Fields that all Gemmas have beside the common ones. */
export const gemmaFields = { dtype: z.string().nullish(), torch_dtype: z.string().nullish() }

export const gemmaDefaults = { head_dim: 256, max_position_embeddings: 8192, tie_word_embeddings: true, hidden_act: "gelu_pytorch_tanh" }

interface GemmaConfig {
  hidden_size: number
  attention_bias?: boolean | null | undefined
  dtype?: string | null | undefined
  torch_dtype?: string | null | undefined
}

/** What all Gemmas have in common. */
export function gemmaDecoder(config: GemmaConfig): DecoderChange {
  return { normWeightOffset: 1, embedScale: roundTo(Math.sqrt(config.hidden_size), config.dtype ?? config.torch_dtype) }
}

/** Models round the scale to the type of their weights, and were trained so. */
function roundTo(value: number, dtype: string | null | undefined): number {
  if (dtype !== "bfloat16") return Math.fround(value)
  const bits = new Uint32Array(Float32Array.of(value).buffer)
  const upper = (bits[0] as number) + 0x7fff + (((bits[0] as number) >>> 16) & 1)
  return new Float32Array(Uint32Array.of(upper & 0xffff0000).buffer)[0] as number
}

export function gemmaBiases({ attention_bias: hasBias }: GemmaConfig): Role[] {
  return hasBias ? ["q", "k", "v", "o"] : []
}

export const gemma = architecture({
  name: "GemmaForCausalLM",
  modelType: "gemma",
  fields: gemmaFields,
  // "gelu" in old configurations was never the exact one.
  defaults: { ...gemmaDefaults, num_key_value_heads: 16 },
  describe: (config) => ({ decoder: { ...gemmaDecoder(config), activation: "gelu_tanh" }, biases: gemmaBiases(config) }),
})
