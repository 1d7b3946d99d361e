// Models that people measure computers by, as their publishers' config.json has them. Everything else follows from these: parameters,
// memory and speed are computed, not typed in.

export interface CatalogModel {
  /** As people know it. */
  name: string
  /** For the folder that its config.json is written to. */
  id: string
  config: Record<string, unknown>
}

interface Shape {
  hidden_size: number
  intermediate_size: number
  num_hidden_layers: number
  num_attention_heads: number
  num_key_value_heads: number
}

function shape(width: number, ffn: number, layers: number, heads: number, kvHeads: number): Shape {
  return {
    hidden_size: width,
    intermediate_size: ffn,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
  }
}

/** `factor`: by which positions are stretched. */
function llama(size: Shape, own: { factor: number; tie_word_embeddings?: boolean; head_dim?: number }): Record<string, unknown> {
  const { factor, ...rest } = own
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    ...size,
    vocab_size: 128256,
    max_position_embeddings: 131072,
    rope_theta: 500000,
    rope_scaling: { rope_type: "llama3", factor, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 },
    rms_norm_eps: 1e-5,
    hidden_act: "silu",
    torch_dtype: "bfloat16",
    ...rest,
  }
}

function qwen(size: Shape, own: { vocab_size: number; max_position_embeddings: number; tie_word_embeddings: boolean }) {
  return {
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    ...size,
    rope_theta: 1000000,
    rms_norm_eps: 1e-6,
    hidden_act: "silu",
    use_sliding_window: false,
    torch_dtype: "bfloat16",
    ...own,
  }
}

const mistral = {
  architectures: ["MistralForCausalLM"],
  model_type: "mistral",
  ...shape(4096, 14336, 32, 32, 8),
  vocab_size: 32768,
  max_position_embeddings: 32768,
  sliding_window: null,
  rope_theta: 1000000,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
}

const large = { vocab_size: 152064, max_position_embeddings: 131072, tie_word_embeddings: false }

/** The smallest first. */
export const catalog: readonly CatalogModel[] = [
  {
    name: "Qwen2.5 0.5B",
    id: "qwen2.5-0.5b",
    config: qwen(shape(896, 4864, 24, 14, 2), { vocab_size: 151936, max_position_embeddings: 32768, tie_word_embeddings: true }),
  },
  {
    name: "Llama 3.2 1B",
    id: "llama-3.2-1b",
    config: llama(shape(2048, 8192, 16, 32, 8), { factor: 32, tie_word_embeddings: true, head_dim: 64 }),
  },
  {
    name: "Llama 3.2 3B",
    id: "llama-3.2-3b",
    config: llama(shape(3072, 8192, 28, 24, 8), { factor: 32, tie_word_embeddings: true, head_dim: 128 }),
  },
  { name: "Mistral 7B", id: "mistral-7b", config: mistral },
  { name: "Llama 3.1 8B", id: "llama-3.1-8b", config: llama(shape(4096, 14336, 32, 32, 8), { factor: 8 }) },
  { name: "Qwen2.5 14B", id: "qwen2.5-14b", config: qwen(shape(5120, 13824, 48, 40, 8), large) },
  { name: "Qwen2.5 32B", id: "qwen2.5-32b", config: qwen(shape(5120, 27648, 64, 40, 8), large) },
  { name: "Llama 3.3 70B", id: "llama-3.3-70b", config: llama(shape(8192, 28672, 80, 64, 8), { factor: 8 }) },
]
