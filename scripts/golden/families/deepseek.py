import torch
from torch import nn
from transformers import DeepseekV2Config, DeepseekV2ForCausalLM, DeepseekV3Config, DeepseekV3ForCausalLM

from .recipe import TINY, Recipe

# Widths that all differ: heads of 12 + 8 for queries and keys, 10 for values.
LATENT = dict(kv_lora_rank=24, qk_nope_head_dim=12, qk_rope_head_dim=8, v_head_dim=10)
EXPERTS = dict(moe_intermediate_size=24, num_experts_per_tok=3, first_k_dense_replace=1, tie_word_embeddings=False)


def yarn(mscale: float, mscale_all_dim: float) -> dict:
    return dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32, beta_fast=32, beta_slow=1, mscale=mscale,
                mscale_all_dim=mscale_all_dim)


def draw_corrections(model: nn.Module, generator: torch.Generator) -> None:
    """Large enough to change the choice."""
    for name, buffer in model.named_buffers():
        if name.endswith("e_score_correction_bias"):
            buffer.copy_((0.3 * torch.randn(buffer.shape, generator=generator)).bfloat16().float())


RECIPES = {
    "deepseek-v2": Recipe(DeepseekV2ForCausalLM, DeepseekV2Config, dict(
        **TINY, **LATENT, **EXPERTS, q_lora_rank=20, n_routed_experts=8, n_shared_experts=2, topk_method="group_limited_greedy", n_group=4,
        topk_group=2, routed_scaling_factor=4.0, rope_parameters=yarn(0.8, 0.7)), n_shards=2),
    "deepseek-v2-lite": Recipe(DeepseekV2ForCausalLM, DeepseekV2Config, dict(
        **TINY, **LATENT, **EXPERTS, q_lora_rank=None, n_routed_experts=6, n_shared_experts=1), has_published_names=False),
    "deepseek-v3": Recipe(DeepseekV3ForCausalLM, DeepseekV3Config, dict(
        **TINY, **LATENT, **EXPERTS, num_key_value_heads=4, q_lora_rank=20, n_routed_experts=8, n_group=4, topk_group=2,
        rope_parameters=yarn(1.0, 1.0)), adjust=draw_corrections),
    # Rotation by halves, biases, every layer with experts, no groups.
    "deepseek-v3-fused": Recipe(DeepseekV3ForCausalLM, DeepseekV3Config, dict(
        **TINY, **LATENT, **{**EXPERTS, "first_k_dense_replace": 0}, num_key_value_heads=4, q_lora_rank=20, n_routed_experts=6, n_group=1,
        topk_group=1, norm_topk_prob=False, rope_interleave=False, attention_bias=True), has_published_names=False,
        adjust=draw_corrections),
}
