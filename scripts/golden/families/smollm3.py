from transformers import SmolLM3Config, SmolLM3ForCausalLM

from .recipe import TINY, Recipe

COMMON = dict(**TINY, num_key_value_heads=2, pad_token_id=0, bos_token_id=1, eos_token_id=2)

RECIPES = {
    "smollm3": Recipe(SmolLM3ForCausalLM, SmolLM3Config, dict(**COMMON, no_rope_layers=[1, 0], tie_word_embeddings=True)),
    "smollm3-windowed": Recipe(SmolLM3ForCausalLM, SmolLM3Config, dict(
        **COMMON, no_rope_layer_interval=2, use_sliding_window=True, sliding_window=16, attention_bias=True, mlp_bias=True,
        tie_word_embeddings=False)),
}
