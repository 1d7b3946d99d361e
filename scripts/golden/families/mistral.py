from transformers import MistralConfig, MistralForCausalLM

from .recipe import TINY, Recipe

RECIPES = {
    "mistral": Recipe(MistralForCausalLM, MistralConfig, dict(
        **TINY, num_key_value_heads=2, head_dim=16, sliding_window=16, tie_word_embeddings=False), dtype="float16"),
}
