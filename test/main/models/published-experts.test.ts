// config.json of published mixtures of experts, as their makers wrote it: accepted, and with as many parameters as the models have.
import { expect, test } from "vitest"
import { describeModel, type ModelDescription } from "../../../main/models/describe.ts"

interface Published {
  parameters: number
  config: Record<string, unknown>
  decoder?: Record<string, unknown>
}

const llamaLike = { hidden_act: "silu", tie_word_embeddings: false, rope_theta: 1000000 }
const deepseekYarn = { beta_fast: 32, beta_slow: 1, factor: 40, original_max_position_embeddings: 4096, type: "yarn" }

const mixtral = {
  architectures: ["MixtralForCausalLM"],
  ...llamaLike,
  model_type: "mixtral",
  num_key_value_heads: 8,
  num_experts_per_tok: 2,
  num_local_experts: 8,
  sliding_window: null,
  vocab_size: 32000,
}

const qwen2Moe = {
  architectures: ["Qwen2MoeForCausalLM"],
  ...llamaLike,
  model_type: "qwen2_moe",
  decoder_sparse_step: 1,
  norm_topk_prob: false,
  use_sliding_window: false,
  vocab_size: 151936,
}

const qwen3Moe = {
  architectures: ["Qwen3MoeForCausalLM"],
  ...llamaLike,
  model_type: "qwen3_moe",
  attention_bias: false,
  decoder_sparse_step: 1,
  head_dim: 128,
  max_position_embeddings: 40960,
  max_window_layers: 48,
  mlp_only_layers: [],
  norm_topk_prob: true,
  num_experts: 128,
  num_experts_per_tok: 8,
  num_key_value_heads: 4,
  rope_scaling: null,
  sliding_window: null,
  use_sliding_window: false,
  vocab_size: 151936,
}

const gptOss = {
  architectures: ["GptOssForCausalLM"],
  attention_bias: true,
  experts_per_token: 4,
  head_dim: 64,
  hidden_act: "silu",
  hidden_size: 2880,
  initial_context_length: 4096,
  intermediate_size: 2880,
  max_position_embeddings: 131072,
  model_type: "gpt_oss",
  num_attention_heads: 64,
  num_experts_per_tok: 4,
  num_key_value_heads: 8,
  quantization_config: { quant_method: "mxfp4" },
  rms_norm_eps: 1e-5,
  rope_scaling: { beta_fast: 32, beta_slow: 1, factor: 32, original_max_position_embeddings: 4096, rope_type: "yarn", truncate: false },
  rope_theta: 150000,
  sliding_window: 128,
  swiglu_limit: 7,
  tie_word_embeddings: false,
  vocab_size: 201088,
}

const deepseek = {
  hidden_act: "silu",
  kv_lora_rank: 512,
  max_position_embeddings: 163840,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  rope_theta: 10000,
  tie_word_embeddings: false,
  v_head_dim: 128,
}

const deepseekV2 = {
  ...deepseek,
  architectures: ["DeepseekV2ForCausalLM"],
  model_type: "deepseek_v2",
  first_k_dense_replace: 1,
  n_shared_experts: 2,
  norm_topk_prob: false,
  num_experts_per_tok: 6,
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: as it is published
  rope_scaling: { ...deepseekYarn, mscale: 0.707, mscale_all_dim: 0.707 },
  scoring_func: "softmax",
  vocab_size: 102400,
}

const granite = {
  architectures: ["GraniteMoeForCausalLM"],
  attention_bias: false,
  attention_multiplier: 0.015625,
  embedding_multiplier: 12,
  hidden_act: "silu",
  intermediate_size: 512,
  max_position_embeddings: 4096,
  model_type: "granitemoe",
  num_experts_per_tok: 8,
  num_key_value_heads: 8,
  residual_multiplier: 0.22,
  rope_scaling: null,
  rope_theta: 10000,
  tie_word_embeddings: true,
  vocab_size: 49155,
}

const models: Record<string, Published> = {
  "Mixtral-8x7B": {
    parameters: 46_702_792_704,
    config: {
      ...mixtral,
      hidden_size: 4096,
      intermediate_size: 14336,
      max_position_embeddings: 32768,
      num_attention_heads: 32,
      num_hidden_layers: 32,
    },
  },
  "Mixtral-8x22B": {
    parameters: 140_620_634_112,
    config: {
      ...mixtral,
      hidden_size: 6144,
      intermediate_size: 16384,
      max_position_embeddings: 65536,
      num_attention_heads: 48,
      num_hidden_layers: 56,
    },
  },
  "Qwen1.5-MoE-A2.7B": {
    parameters: 14_315_784_192,
    config: {
      ...qwen2Moe,
      hidden_size: 2048,
      intermediate_size: 5632,
      max_position_embeddings: 8192,
      max_window_layers: 21,
      moe_intermediate_size: 1408,
      num_attention_heads: 16,
      num_experts: 60,
      num_experts_per_tok: 4,
      num_hidden_layers: 24,
      num_key_value_heads: 16,
      shared_expert_intermediate_size: 5632,
      sliding_window: 32768,
    },
  },
  "Qwen3-30B-A3B": {
    parameters: 30_532_122_624,
    config: {
      ...qwen3Moe,
      hidden_size: 2048,
      intermediate_size: 6144,
      moe_intermediate_size: 768,
      num_attention_heads: 32,
      num_hidden_layers: 48,
    },
  },
  "Qwen3-235B-A22B": {
    parameters: 235_093_634_560,
    config: {
      ...qwen3Moe,
      hidden_size: 4096,
      intermediate_size: 12288,
      moe_intermediate_size: 1536,
      num_attention_heads: 64,
      num_hidden_layers: 94,
    },
  },
  "gpt-oss-20b": { parameters: 20_914_757_184, config: { ...gptOss, num_hidden_layers: 24, num_local_experts: 32 } },
  "gpt-oss-120b": {
    parameters: 116_829_156_672,
    config: { ...gptOss, num_hidden_layers: 36, num_local_experts: 128 },
    decoder: { attentionScale: 1 / 8, gateLimit: 7, gateAlpha: 1.702 },
  },
  "DeepSeek-V2-Lite": {
    parameters: 15_706_484_224,
    config: {
      ...deepseekV2,
      hidden_size: 2048,
      intermediate_size: 10944,
      moe_intermediate_size: 1408,
      n_group: 1,
      n_routed_experts: 64,
      num_attention_heads: 16,
      num_hidden_layers: 27,
      num_key_value_heads: 16,
      q_lora_rank: null,
      routed_scaling_factor: 1,
      topk_group: 1,
      topk_method: "greedy",
    },
    // 0.1 * 0.707 * ln 40 + 1, squared, over the root of 192.
    decoder: { attentionScale: (0.0707 * Math.log(40) + 1) ** 2 / Math.sqrt(192) },
  },
  "DeepSeek-V2": {
    parameters: 235_741_434_880,
    config: {
      ...deepseekV2,
      hidden_size: 5120,
      intermediate_size: 12288,
      moe_intermediate_size: 1536,
      n_group: 8,
      n_routed_experts: 160,
      num_attention_heads: 128,
      num_hidden_layers: 60,
      num_key_value_heads: 128,
      q_lora_rank: 1536,
      routed_scaling_factor: 16,
      topk_group: 3,
      topk_method: "group_limited_greedy",
    },
  },
  "DeepSeek-V3": {
    parameters: 671_026_419_200,
    config: {
      ...deepseek,
      architectures: ["DeepseekV3ForCausalLM"],
      model_type: "deepseek_v3",
      attention_bias: false,
      first_k_dense_replace: 3,
      hidden_size: 7168,
      intermediate_size: 18432,
      moe_intermediate_size: 2048,
      moe_layer_freq: 1,
      n_group: 8,
      n_routed_experts: 256,
      n_shared_experts: 1,
      norm_topk_prob: true,
      num_attention_heads: 128,
      num_experts_per_tok: 8,
      num_hidden_layers: 61,
      num_key_value_heads: 128,
      num_nextn_predict_layers: 1,
      q_lora_rank: 1536,
      rope_scaling: { ...deepseekYarn, mscale: 1, mscale_all_dim: 1 },
      routed_scaling_factor: 2.5,
      scoring_func: "sigmoid",
      topk_group: 4,
      topk_method: "noaux_tc",
      vocab_size: 129280,
    },
  },
  "OLMoE-1B-7B": {
    parameters: 6_919_161_856,
    config: {
      architectures: ["OlmoeForCausalLM"],
      model_type: "olmoe",
      attention_bias: false,
      clip_qkv: null,
      hidden_act: "silu",
      hidden_size: 2048,
      intermediate_size: 1024,
      max_position_embeddings: 4096,
      norm_topk_prob: false,
      num_attention_heads: 16,
      num_experts: 64,
      num_experts_per_tok: 8,
      num_hidden_layers: 16,
      num_key_value_heads: 16,
      rope_scaling: null,
      rope_theta: 10000,
      tie_word_embeddings: false,
      vocab_size: 50304,
    },
  },
  "granite-3.0-1b-a400m": {
    parameters: 1_334_628_352,
    config: { ...granite, hidden_size: 1024, logits_scaling: 6, num_attention_heads: 16, num_hidden_layers: 24, num_local_experts: 32 },
  },
}

function parametersOf({ expected }: ModelDescription): number {
  return expected.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
}

test.each(Object.entries(models))("%s", (_, { parameters, config, decoder }) => {
  const description = describeModel(config, "config.json")
  expect(parametersOf(description)).toBe(parameters)
  for (const [name, value] of Object.entries(decoder ?? {})) expect(description.decoder).toHaveProperty(name, value)
})
