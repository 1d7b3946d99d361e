from transformers import Phi3Config, Phi3ForCausalLM

from .recipe import TINY, Recipe

PHI3 = dict(model=Phi3ForCausalLM, config=Phi3Config)
# Its special tokens lie behind the tiny vocabulary.
COMMON = dict(**TINY, num_key_value_heads=2, pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False)
SHORT, LONG = [1.0, 1.1, 1.3, 1.6], [2.0, 3.0, 5.0, 9.0]

RECIPES = {
    "phi3": Recipe(**PHI3, fields=dict(**COMMON, sliding_window=16)),
    # Texts within the original context of 64, as transformers computes them.
    "phi3-longrope": Recipe(**PHI3, fields=dict(**COMMON, original_max_position_embeddings=64, rope_parameters=dict(
        rope_type="longrope", rope_theta=10000.0, short_factor=SHORT, long_factor=LONG, original_max_position_embeddings=64))),
    # Longer ones.
    "phi3-longrope-long": Recipe(**PHI3, fields=dict(**COMMON, original_max_position_embeddings=24, rope_parameters=dict(
        rope_type="longrope", rope_theta=10000.0, short_factor=SHORT, long_factor=LONG, original_max_position_embeddings=24))),
    # Phi-4-mini: a part of each head is rotated.
    "phi4-mini": Recipe(**PHI3, fields=dict(**{**COMMON, "tie_word_embeddings": True}, rope_parameters=dict(
        rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.75))),
}
