from transformers import GraniteConfig, GraniteForCausalLM

from .recipe import TINY, Recipe

RECIPES = {
    "granite": Recipe(GraniteForCausalLM, GraniteConfig, dict(
        **TINY, num_key_value_heads=2, tie_word_embeddings=True, embedding_multiplier=6.0, residual_multiplier=0.22,
        attention_multiplier=0.2, logits_scaling=4.0)),
    "granite-bias": Recipe(GraniteForCausalLM, GraniteConfig, dict(
        **TINY, num_key_value_heads=1, tie_word_embeddings=False, attention_bias=True, mlp_bias=True,
        attention_multiplier=0.35)),
}
