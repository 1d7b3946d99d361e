from transformers import OlmoeConfig, OlmoeForCausalLM

from .recipe import TINY, Recipe

RECIPES = {
    "olmoe": Recipe(OlmoeForCausalLM, OlmoeConfig, dict(
        **TINY, num_key_value_heads=2, num_experts=6, num_experts_per_tok=3, clip_qkv=1.5, eos_token_id=2, tie_word_embeddings=False)),
}
