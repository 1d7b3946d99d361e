from transformers import StableLmConfig, StableLmForCausalLM

from .recipe import TINY, Recipe

STABLELM = dict(model=StableLmForCausalLM, config=StableLmConfig)
ROPE = dict(rope_type="default", rope_theta=10000.0)

RECIPES = {
    "stablelm": Recipe(**STABLELM, fields=dict(
        **TINY, num_key_value_heads=4, use_qkv_bias=True, rope_parameters=dict(**ROPE, partial_rotary_factor=0.25)), n_shards=2),
    # As 12B.
    "stablelm-parallel": Recipe(**STABLELM, fields=dict(
        **TINY, num_key_value_heads=2, use_parallel_residual=True, qk_layernorm=True, tie_word_embeddings=True,
        rope_parameters=dict(**ROPE, partial_rotary_factor=0.5))),
}
