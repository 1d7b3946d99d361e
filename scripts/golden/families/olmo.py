from transformers import Olmo2Config, Olmo2ForCausalLM, Olmo3Config, Olmo3ForCausalLM, OlmoConfig, OlmoForCausalLM

from .recipe import TINY, Recipe

COMMON = dict(**TINY, num_key_value_heads=2, tie_word_embeddings=False, eos_token_id=2)

RECIPES = {
    "olmo": Recipe(OlmoForCausalLM, OlmoConfig, dict(**COMMON, clip_qkv=1.5)),
    "olmo2": Recipe(Olmo2ForCausalLM, Olmo2Config, dict(**COMMON)),
    "olmo3": Recipe(Olmo3ForCausalLM, Olmo3Config, dict(
        **COMMON, sliding_window=16, layer_types=["sliding_attention", "full_attention"])),
}
