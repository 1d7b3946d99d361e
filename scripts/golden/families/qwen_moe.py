from transformers import Qwen2MoeConfig, Qwen2MoeForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

from .recipe import TINY, Recipe

FIELDS = dict(**TINY, num_key_value_heads=2, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=24, tie_word_embeddings=False)
SHARED = dict(shared_expert_intermediate_size=40)

RECIPES = {
    "qwen2-moe": Recipe(Qwen2MoeForCausalLM, Qwen2MoeConfig, dict(**FIELDS, **SHARED), n_shards=2),
    # Experts in the second layer only, a window in the first.
    "qwen2-moe-fused": Recipe(Qwen2MoeForCausalLM, Qwen2MoeConfig, dict(
        **FIELDS, **SHARED, decoder_sparse_step=2, norm_topk_prob=True, qkv_bias=False, use_sliding_window=True, sliding_window=16),
        has_published_names=False),
    "qwen3-moe": Recipe(Qwen3MoeForCausalLM, Qwen3MoeConfig, dict(**FIELDS, head_dim=16, norm_topk_prob=True)),
    "qwen3-moe-fused": Recipe(Qwen3MoeForCausalLM, Qwen3MoeConfig, dict(
        **FIELDS, mlp_only_layers=[0], attention_bias=True, use_sliding_window=True, sliding_window=16), has_published_names=False),
}
