// What the config.json of published models says of their sizes, with the number of their parameters: of the decoder alone for models that
// also see, without the head where it is the embedding. Fields that decide neither are left out.

export interface Published {
  model: string
  parameters: number
  config: Record<string, unknown>
}

type Row = [model: string, parameters: number, own: Record<string, unknown>]

function family(architecture: string, shared: Record<string, unknown>, rows: Row[]): Published[] {
  return rows.map(([model, parameters, own]) => ({ model, parameters, config: { architectures: [architecture], ...shared, ...own } }))
}

/** Sizes in the words of Llama. */
function sizes(width: number, ffn: number, layers: number, heads: number, kvHeads = heads): Record<string, number> {
  return {
    hidden_size: width,
    intermediate_size: ffn,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
  }
}

/** In the words of GPT-2. */
const gpt = (width: number, layers: number, heads: number) => ({ n_embd: width, n_layer: layers, n_head: heads })

const tied = { tie_word_embeddings: true }

const gpts: Published[] = [
  ...family("GPT2LMHeadModel", { model_type: "gpt2", vocab_size: 50257, n_ctx: 1024, n_positions: 1024, layer_norm_epsilon: 1e-5 }, [
    ["distilgpt2", 81912576, gpt(768, 6, 12)],
    ["gpt2", 124439808, gpt(768, 12, 12)],
    ["gpt2-medium", 354823168, gpt(1024, 24, 16)],
    ["gpt2-large", 774030080, gpt(1280, 36, 20)],
    ["gpt2-xl", 1557611200, gpt(1600, 48, 25)],
  ]),
  ...family("GPTNeoForCausalLM", { model_type: "gpt_neo", vocab_size: 50257, max_position_embeddings: 2048, intermediate_size: null }, [
    ["gpt-neo-125m", 125198592, { ...neo(768, 12, 12), attention_types: [[["global", "local"], 6]] }],
    ["gpt-neo-1.3B", 1315575808, neo(2048, 24, 16)],
    ["gpt-neo-2.7B", 2651307520, { ...neo(2560, 32, 20), attention_types: [[["global", "local"], 16]] }],
  ]),
  ...family("GPTJForCausalLM", { model_type: "gptj", vocab_size: 50400, n_positions: 2048, rotary_dim: 64, n_inner: null }, [
    ["gpt-j-6b", 6050882784, { ...gpt(4096, 28, 16), tie_word_embeddings: false }],
  ]),
  ...family("CodeGenForCausalLM", { model_type: "codegen", vocab_size: 51200, n_positions: 2048, n_inner: null }, [
    ["codegen-350M-mono", 356712448, { ...gpt(1024, 20, 16), rotary_dim: 32, tie_word_embeddings: false }],
  ]),
  ...family("GPTBigCodeForCausalLM", { model_type: "gpt_bigcode", multi_query: true, activation_function: "gelu_pytorch_tanh" }, [
    ["gpt_bigcode-santacoder", 1124886528, { ...gpt(2048, 24, 16), n_positions: 2048, n_inner: 8192, vocab_size: 49280 }],
    ["starcoderbase-1b", 1137207296, { ...gpt(2048, 24, 16), n_positions: 8192, n_inner: 8192, vocab_size: 49152 }],
    ["starcoder", 15517456384, { ...gpt(6144, 40, 48), n_positions: 8192, n_inner: 24576, vocab_size: 49152 }],
  ]),
  ...family("GPTNeoXForCausalLM", { model_type: "gpt_neox", rotary_pct: 0.25, rotary_emb_base: 10000, use_parallel_residual: true }, [
    ["pythia-70m", 70426624, { ...sizes(512, 2048, 6, 8), vocab_size: 50304 }],
    ["pythia-160m", 162322944, { ...sizes(768, 3072, 12, 12), vocab_size: 50304 }],
    ["pythia-410m", 405334016, { ...sizes(1024, 4096, 24, 16), vocab_size: 50304 }],
    ["pythia-1b", 1011781632, { ...sizes(2048, 8192, 16, 8), vocab_size: 50304 }],
    ["pythia-1.4b", 1414647808, { ...sizes(2048, 8192, 24, 16), vocab_size: 50304 }],
    ["pythia-2.8b", 2775208960, { ...sizes(2560, 10240, 32, 32), vocab_size: 50304 }],
    ["pythia-6.9b", 6857302016, { ...sizes(4096, 16384, 32, 32), vocab_size: 50432 }],
    ["pythia-12b", 11846072320, { ...sizes(5120, 20480, 36, 40), vocab_size: 50688 }],
    ["gpt-neox-20b", 20554567680, { ...sizes(6144, 24576, 44, 64), vocab_size: 50432, hidden_act: "gelu_fast" }],
  ]),
]

function neo(width: number, layers: number, heads: number): Record<string, unknown> {
  return { hidden_size: width, num_layers: layers, num_heads: heads, attention_types: [[["global", "local"], 12]], window_size: 256 }
}

const bloom = (width: number, layers: number, heads: number) => ({ n_embed: width, n_layer: layers, num_attention_heads: heads })

const opt = (width: number, layers: number, heads: number) => ({
  ...{ hidden_size: width, ffn_dim: 4 * width, num_hidden_layers: layers, num_attention_heads: heads, word_embed_proj_dim: width },
  do_layer_norm_before: true,
})

const alibi = { attn_type: "multihead_attention", alibi: true, alibi_bias_max: 8, clip_qkv: null, qk_ln: false, softmax_scale: null }

const mpt = { model_type: "mpt", vocab_size: 50432, expansion_ratio: 4, no_bias: true, norm_type: "low_precision_layernorm" }

const classical: Published[] = [
  ...family("BloomForCausalLM", { model_type: "bloom", vocab_size: 250880, n_inner: null }, [
    ["bloom-560m", 559214592, bloom(1024, 24, 16)],
    ["bloom-1b1", 1065314304, bloom(1536, 24, 16)],
    ["bloom-1b7", 1722408960, bloom(2048, 24, 16)],
    ["bloom-3b", 3002557440, bloom(2560, 30, 32)],
    ["bloom-7b1", 7069016064, bloom(4096, 30, 32)],
    ["bloom", 176247271424, bloom(14336, 70, 112)],
  ]),
  ...family(
    "FalconForCausalLM",
    { model_type: "falcon", vocab_size: 65024, alibi: false, bias: false, multi_query: true, parallel_attn: true },
    [
      ["falcon-7b", 6921720704, { hidden_size: 4544, num_hidden_layers: 32, num_attention_heads: 71, new_decoder_architecture: false }],
      [
        "falcon-40b",
        41303293952,
        { hidden_size: 8192, num_hidden_layers: 60, num_attention_heads: 128, num_kv_heads: 8, new_decoder_architecture: true },
      ],
      [
        "falcon-rw-1b",
        1311625216,
        {
          ...{ hidden_size: 2048, num_hidden_layers: 24, num_attention_heads: 32, vocab_size: 50304, alibi: true, bias: true },
          ...{ multi_query: false, parallel_attn: false, new_decoder_architecture: false },
        },
      ],
    ],
  ),
  ...family("MPTForCausalLM", mpt, [
    ["mpt-7b", 6649286656, { d_model: 4096, n_layers: 32, n_heads: 32, max_seq_len: 2048, attn_config: alibi }],
    [
      "mpt-7b-storywriter",
      6649286656,
      { d_model: 4096, n_layers: 32, n_heads: 32, max_seq_len: 65536, attn_config: { ...alibi, alibi_bias_max: 16, clip_qkv: 6 } },
    ],
  ]),
  ...family("OPTForCausalLM", { model_type: "opt", vocab_size: 50272, max_position_embeddings: 2048, activation_function: "relu" }, [
    ["opt-125m", 125239296, opt(768, 12, 12)],
    ["opt-350m", 331196416, { ...opt(1024, 24, 16), word_embed_proj_dim: 512, do_layer_norm_before: false }],
    ["opt-1.3b", 1315758080, opt(2048, 24, 32)],
    ["opt-2.7b", 2651596800, opt(2560, 32, 32)],
    ["opt-6.7b", 6658473984, opt(4096, 32, 32)],
    ["opt-13b", 12853473280, opt(5120, 40, 40)],
    ["opt-30b", 29974540288, opt(7168, 48, 56)],
  ]),
  ...family("StableLmForCausalLM", { model_type: "stablelm", layer_norm_eps: 1e-5, partial_rotary_factor: 0.25 }, [
    ["stablelm-3b-4e1t", 2795443200, { ...sizes(2560, 6912, 32, 32), vocab_size: 50304, use_qkv_bias: false }],
    ["stablelm-2-1_6b", 1644515328, { ...sizes(2048, 5632, 24, 32), vocab_size: 100352, use_qkv_bias: true }],
  ]),
  ...family("Starcoder2ForCausalLM", { model_type: "starcoder2", vocab_size: 49152, use_bias: true, sliding_window: 4096 }, [
    ["starcoder2-3b", 3030371328, sizes(3072, 12288, 30, 24, 2)],
    ["starcoder2-7b", 7173923840, sizes(4608, 18432, 32, 36, 4)],
    ["starcoder2-15b", 15957889024, { ...sizes(6144, 24576, 40, 48, 4), tie_word_embeddings: false }],
  ]),
  ...family("PhiForCausalLM", { model_type: "phi", vocab_size: 51200, hidden_act: "gelu_new", qk_layernorm: false }, [
    ["phi-1_5", 1418270720, { ...sizes(2048, 8192, 24, 32), partial_rotary_factor: 0.5 }],
    ["phi-2", 2779683840, { ...sizes(2560, 10240, 32, 32), partial_rotary_factor: 0.4 }],
  ]),
]

const llamas: Published[] = [
  ...family("LlamaForCausalLM", { model_type: "llama", vocab_size: 32000, rms_norm_eps: 1e-5 }, [
    ["TinyLlama-1.1B", 1100048384, sizes(2048, 5632, 22, 32, 4)],
    ["Llama-2-7b", 6738415616, sizes(4096, 11008, 32, 32)],
    ["Llama-2-13b", 13015864320, sizes(5120, 13824, 40, 40)],
    ["llama-30b", 32528943616, sizes(6656, 17920, 60, 52)],
    ["llama-65b", 65285660672, sizes(8192, 22016, 80, 64)],
    ["Llama-2-70b", 68976648192, sizes(8192, 28672, 80, 64, 8)],
    ["Llama-3.1-8B", 8030261248, { ...sizes(4096, 14336, 32, 32, 8), vocab_size: 128256 }],
    ["Llama-3.1-70B", 70553706496, { ...sizes(8192, 28672, 80, 64, 8), vocab_size: 128256 }],
    ["Llama-3.1-405B", 405853388800, { ...sizes(16384, 53248, 126, 128, 8), vocab_size: 128256 }],
    ["Llama-3.2-1B", 1235814400, { ...sizes(2048, 8192, 16, 32, 8), vocab_size: 128256, ...tied }],
    ["Llama-3.2-3B", 3212749824, { ...sizes(3072, 8192, 28, 24, 8), head_dim: 128, vocab_size: 128256, ...tied }],
    ["SmolLM2-135M", 134515008, { ...sizes(576, 1536, 30, 9, 3), vocab_size: 49152, ...tied }],
    ["SmolLM2-360M", 361821120, { ...sizes(960, 2560, 32, 15, 5), vocab_size: 49152, ...tied }],
    ["SmolLM2-1.7B", 1711376384, { ...sizes(2048, 8192, 24, 32), vocab_size: 49152, ...tied }],
  ]),
  ...family("MistralForCausalLM", { model_type: "mistral" }, [
    ["Mistral-7B-v0.1", 7241732096, { ...sizes(4096, 14336, 32, 32, 8), vocab_size: 32000, sliding_window: 4096 }],
    ["Mistral-7B-v0.3", 7248023552, { ...sizes(4096, 14336, 32, 32, 8), vocab_size: 32768, sliding_window: null }],
    ["Mistral-Nemo-2407", 12247782400, { ...sizes(5120, 14336, 40, 32, 8), head_dim: 128, vocab_size: 131072, sliding_window: null }],
    ["Mistral-Small-24B-2501", 23572403200, { ...sizes(5120, 32768, 40, 32, 8), head_dim: 128, vocab_size: 131072, sliding_window: null }],
  ]),
  ...family("Qwen2ForCausalLM", { model_type: "qwen2", use_sliding_window: false }, [
    ["Qwen2.5-0.5B", 494032768, { ...sizes(896, 4864, 24, 14, 2), vocab_size: 151936, ...tied }],
    ["Qwen2.5-1.5B", 1543714304, { ...sizes(1536, 8960, 28, 12, 2), vocab_size: 151936, ...tied }],
    ["Qwen2.5-3B", 3085938688, { ...sizes(2048, 11008, 36, 16, 2), vocab_size: 151936, ...tied }],
    ["Qwen2.5-7B", 7615616512, { ...sizes(3584, 18944, 28, 28, 4), vocab_size: 152064 }],
    ["Qwen2.5-14B", 14770033664, { ...sizes(5120, 13824, 48, 40, 8), vocab_size: 152064 }],
    ["Qwen2.5-32B", 32763876352, { ...sizes(5120, 27648, 64, 40, 8), vocab_size: 152064 }],
    ["Qwen2.5-72B", 72706203648, { ...sizes(8192, 29568, 80, 64, 8), vocab_size: 152064 }],
  ]),
  ...family("Qwen3ForCausalLM", { model_type: "qwen3", head_dim: 128, vocab_size: 151936 }, [
    ["Qwen3-0.6B", 596049920, { ...sizes(1024, 3072, 28, 16, 8), ...tied }],
    ["Qwen3-1.7B", 1720574976, { ...sizes(2048, 6144, 28, 16, 8), ...tied }],
    ["Qwen3-4B", 4022468096, { ...sizes(2560, 9728, 36, 32, 8), ...tied }],
    ["Qwen3-8B", 8190735360, sizes(4096, 12288, 36, 32, 8)],
    ["Qwen3-14B", 14768307200, sizes(5120, 17408, 40, 40, 8)],
    ["Qwen3-32B", 32762123264, sizes(5120, 25600, 64, 64, 8)],
  ]),
  ...family("SmolLM3ForCausalLM", { model_type: "smollm3", vocab_size: 128256, ...tied }, [
    ["SmolLM3-3B", 3075098624, sizes(2048, 11008, 36, 16, 4)],
  ]),
  ...family("InternLM2ForCausalLM", { model_type: "internlm2", vocab_size: 92544, bias: false }, [
    ["internlm2-1_8b", 1889110016, sizes(2048, 8192, 24, 16, 8)],
    ["internlm2-7b", 7737708544, sizes(4096, 14336, 32, 32, 8)],
    ["internlm2-20b", 19861149696, sizes(6144, 16384, 48, 48, 8)],
  ]),
]

const others: Published[] = [
  ...family("GemmaForCausalLM", { model_type: "gemma", head_dim: 256, vocab_size: 256000 }, [
    ["gemma-2b", 2506172416, sizes(2048, 16384, 18, 8, 1)],
    ["gemma-7b", 8537680896, sizes(3072, 24576, 28, 16)],
  ]),
  ...family("Gemma2ForCausalLM", { model_type: "gemma2", vocab_size: 256000 }, [
    ["gemma-2-2b", 2614341888, { ...sizes(2304, 9216, 26, 8, 4), head_dim: 256 }],
    ["gemma-2-9b", 9241705984, { ...sizes(3584, 14336, 42, 16, 8), head_dim: 256 }],
    ["gemma-2-27b", 27227128320, { ...sizes(4608, 36864, 46, 32, 16), head_dim: 128, query_pre_attn_scalar: 144 }],
  ]),
  ...family("Gemma3ForCausalLM", { model_type: "gemma3_text", vocab_size: 262144, head_dim: 256 }, [
    ["gemma-3-270m", 268098176, sizes(640, 2048, 18, 4, 1)],
    ["gemma-3-1b", 999885952, sizes(1152, 6912, 26, 4, 1)],
  ]),
  ...family("Gemma3ForConditionalGeneration", { model_type: "gemma3" }, [
    ["gemma-3-4b", 3880263168, { text_config: { ...sizes(2560, 10240, 34, 8, 4), head_dim: 256, vocab_size: 262208 } }],
  ]),
  ...family("Phi3ForCausalLM", { model_type: "phi3" }, [
    ["Phi-3-mini-4k-instruct", 3821079552, { ...sizes(3072, 8192, 32, 32), vocab_size: 32064 }],
    ["Phi-3-medium-4k-instruct", 13960238080, { ...sizes(5120, 17920, 40, 40, 10), vocab_size: 32064 }],
    ["Phi-4-mini-instruct", 3836021760, { ...sizes(3072, 8192, 32, 24, 8), vocab_size: 200064, partial_rotary_factor: 0.75, ...tied }],
    ["phi-4", 14659507200, { ...sizes(5120, 17920, 40, 40, 10), vocab_size: 100352 }],
  ]),
  ...family("OlmoForCausalLM", { model_type: "olmo", vocab_size: 50304 }, [
    ["OLMo-1B-hf", 1176764416, { ...sizes(2048, 8192, 16, 16), ...tied }],
    ["OLMo-7B-hf", 6888095744, sizes(4096, 11008, 32, 32)],
  ]),
  ...family("Olmo2ForCausalLM", { model_type: "olmo2", vocab_size: 100352 }, [
    ["OLMo-2-0425-1B", 1484916736, sizes(2048, 8192, 16, 16)],
    ["OLMo-2-1124-7B", 7298617344, sizes(4096, 11008, 32, 32)],
    ["OLMo-2-1124-13B", 13716198400, sizes(5120, 13824, 40, 40)],
    ["OLMo-2-0325-32B", 32234279936, sizes(5120, 27648, 64, 40, 8)],
  ]),
  ...family("GraniteForCausalLM", { model_type: "granite", ...tied }, [
    ["granite-3.1-2b", 2533531648, { ...sizes(2048, 8192, 40, 32, 8), vocab_size: 49155 }],
    ["granite-3.1-8b", 8170848256, { ...sizes(4096, 12800, 40, 32, 8), vocab_size: 49155 }],
  ]),
  ...family("CohereForCausalLM", { model_type: "cohere", vocab_size: 256000 }, [
    ["aya-23-8B", 8028033024, sizes(4096, 14336, 32, 32, 8)],
    ["c4ai-command-r-v01", 34980831232, sizes(8192, 22528, 40, 64)],
    ["c4ai-command-r-plus", 103810674688, { ...sizes(12288, 33792, 64, 96, 8), use_qk_norm: true }],
  ]),
  ...family("Cohere2ForCausalLM", { model_type: "cohere2", vocab_size: 256000 }, [
    ["c4ai-command-r7b-12-2024", 8028033024, sizes(4096, 14336, 32, 32, 8)],
  ]),
]

export const published: Published[] = [...gpts, ...classical, ...llamas, ...others]
