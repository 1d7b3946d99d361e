from transformers import PhiConfig, PhiForCausalLM

from .recipe import TINY, Recipe

PHI = dict(model=PhiForCausalLM, config=PhiConfig)
ROPE = dict(rope_type="default", rope_theta=10000.0)

RECIPES = {
    "phi": Recipe(**PHI, fields=dict(**TINY, rope_parameters=dict(**ROPE, partial_rotary_factor=0.5)), dtype="float16", n_shards=2),
    "phi-qk-norm": Recipe(**PHI, fields=dict(
        **TINY, num_key_value_heads=2, qk_layernorm=True, rope_parameters=dict(**ROPE, partial_rotary_factor=0.75))),
}
