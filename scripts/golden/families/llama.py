"""Llama, Mistral and Qwen2 in the small form that all architectures have; models.py has more of them."""

from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from .recipe import TINY, Recipe

RECIPES = {
    "llama": Recipe(LlamaForCausalLM, LlamaConfig, dict(**TINY, num_key_value_heads=2, tie_word_embeddings=False)),
    # A window in the second layer only.
    "qwen2-windowed": Recipe(Qwen2ForCausalLM, Qwen2Config, dict(
        **TINY, num_key_value_heads=2, tie_word_embeddings=True, use_sliding_window=True, sliding_window=16, max_window_layers=1)),
}
