from transformers import Qwen3Config, Qwen3ForCausalLM

from .recipe import TINY, Recipe

QWEN3 = dict(model=Qwen3ForCausalLM, config=Qwen3Config)

RECIPES = {
    "qwen3": Recipe(**QWEN3, fields=dict(**TINY, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True), n_shards=2),
    "qwen3-windowed": Recipe(**QWEN3, fields=dict(
        **TINY, num_key_value_heads=1, head_dim=12, tie_word_embeddings=False, attention_bias=True, use_sliding_window=True,
        sliding_window=16, max_window_layers=1)),
}
