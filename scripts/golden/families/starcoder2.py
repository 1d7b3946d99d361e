from transformers import Starcoder2Config, Starcoder2ForCausalLM

from .recipe import TINY, Recipe

COMMON = dict(**TINY, num_key_value_heads=2, bos_token_id=1, eos_token_id=2)

RECIPES = {
    "starcoder2": Recipe(Starcoder2ForCausalLM, Starcoder2Config, dict(**COMMON, sliding_window=16), n_shards=2),
    "starcoder2-no-bias": Recipe(Starcoder2ForCausalLM, Starcoder2Config, dict(**COMMON, use_bias=False, tie_word_embeddings=False)),
}
