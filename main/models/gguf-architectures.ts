// What GGUF calls the architectures, and what config.json would say of each beside the common sizes. Keys and conventions are those of
// llama.cpp's convert_hf_to_gguf.
import { z } from "zod"

const size = z.int().positive()
const number = z.number()

/** Metadata, without the name of the architecture before it. */
export const GgufDescription = z.object({
  block_count: size,
  context_length: size,
  embedding_length: size,
  feed_forward_length: size,
  "attention.head_count": size,
  "attention.head_count_kv": size.optional(),
  "attention.key_length": size.optional(),
  "attention.value_length": size.optional(),
  "attention.layer_norm_rms_epsilon": number.nonnegative().optional(),
  "attention.layer_norm_epsilon": number.nonnegative().optional(),
  "attention.sliding_window": size.optional(),
  "attention.scale": number.optional(),
  "rope.freq_base": number.positive().default(10000),
  "rope.dimension_count": size.optional(),
  "rope.scaling.type": z.string().optional(),
  "rope.scaling.factor": number.positive().optional(),
  "rope.scaling.original_context_length": size.optional(),
  "rope.scaling.attn_factor": number.positive().optional(),
  attn_logit_softcapping: number.positive().optional(),
  final_logit_softcapping: number.positive().optional(),
  logit_scale: number.positive().optional(),
  embedding_scale: number.positive().optional(),
  residual_scale: number.positive().optional(),
  expert_count: z.int().nonnegative().default(0),
})
export type GgufDescription = z.output<typeof GgufDescription>

export interface GgufArchitecture {
  /** Of config.json, beside what all decoders have. `headDim`: of queries and keys. */
  config(description: GgufDescription, headDim: number): Record<string, unknown>
  /** The rows of q and k are reordered for the rotation of neighboring pairs. */
  permutes?: boolean
  /** Norms are stored as they are multiplied: 1 more than transformers has them. */
  addsOneToNorms?: boolean
  /** `attention.scale` is a field of its configuration; elsewhere only the usual value is accepted. */
  hasAttentionScale?: boolean
  /** It can rotate a part of each head. */
  rotatesParts?: boolean
}

const named = (architecture: string, modelType: string) => ({ architectures: [architecture], model_type: modelType })

/** The scale of attention is not in the file; the largest models of these families differ from the others. */
function queryScalar(
  { block_count: layers, embedding_length: width, "attention.head_count": heads }: GgufDescription,
  headDim: number,
  largest: number,
) {
  return layers === largest ? width / heads : headDim
}

const llama: GgufArchitecture = {
  config: ({ "attention.sliding_window": window }) =>
    window ? { ...named("MistralForCausalLM", "mistral"), sliding_window: window } : named("LlamaForCausalLM", "llama"),
  permutes: true,
}

export const ggufArchitectures: Readonly<Record<string, GgufArchitecture>> = {
  llama,
  // Its fused matrix is taken apart by the converter: what is left is Llama.
  internlm2: llama,
  qwen2: { config: () => ({ ...named("Qwen2ForCausalLM", "qwen2"), use_sliding_window: false }) },
  qwen3: { config: () => ({ ...named("Qwen3ForCausalLM", "qwen3"), use_sliding_window: false }) },
  gemma: { config: () => ({ ...named("GemmaForCausalLM", "gemma"), hidden_act: "gelu_pytorch_tanh" }), addsOneToNorms: true },
  gemma2: {
    config: (description, headDim) => ({
      ...named("Gemma2ForCausalLM", "gemma2"),
      hidden_activation: "gelu_pytorch_tanh",
      sliding_window: description["attention.sliding_window"] ?? 4096,
      attn_logit_softcapping: description.attn_logit_softcapping ?? 50,
      final_logit_softcapping: description.final_logit_softcapping ?? 30,
      query_pre_attn_scalar: queryScalar(description, headDim, 46),
    }),
    addsOneToNorms: true,
  },
  gemma3: {
    config: (description, headDim) => ({
      ...named("Gemma3ForCausalLM", "gemma3_text"),
      hidden_activation: "gelu_pytorch_tanh",
      sliding_window: description["attention.sliding_window"] ?? 1024,
      sliding_window_pattern: 6,
      rope_local_base_freq: 10000,
      final_logit_softcapping: description.final_logit_softcapping ?? null,
      query_pre_attn_scalar: queryScalar(description, headDim, 62),
    }),
    addsOneToNorms: true,
  },
  phi3: {
    config: (description) => ({
      ...named("Phi3ForCausalLM", "phi3"),
      sliding_window: description["attention.sliding_window"] ?? null,
      original_max_position_embeddings: description["rope.scaling.original_context_length"] ?? description.context_length,
    }),
    rotatesParts: true,
  },
  olmo2: { config: () => named("Olmo2ForCausalLM", "olmo2") },
  granite: {
    config: (description) => ({
      ...named("GraniteForCausalLM", "granite"),
      embedding_multiplier: description.embedding_scale ?? 1,
      residual_multiplier: description.residual_scale ?? 1,
      attention_multiplier: description["attention.scale"] ?? 1,
      logits_scaling: description.logit_scale ?? 1,
    }),
    permutes: true,
    hasAttentionScale: true,
  },
  "command-r": {
    config: (description) => ({ ...named("CohereForCausalLM", "cohere"), logit_scale: description.logit_scale ?? 0.0625 }),
  },
  cohere2: {
    config: (description) => ({
      ...named("Cohere2ForCausalLM", "cohere2"),
      logit_scale: description.logit_scale ?? 0.0625,
      sliding_window: description["attention.sliding_window"] ?? 4096,
      sliding_window_pattern: 4,
    }),
  },
  smollm3: { config: () => ({ ...named("SmolLM3ForCausalLM", "smollm3"), no_rope_layer_interval: 4 }), permutes: true },
}
