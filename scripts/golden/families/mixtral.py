from transformers import MixtralConfig, MixtralForCausalLM

from .recipe import TINY, Recipe

FIELDS = dict(**TINY, num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2, tie_word_embeddings=False)

RECIPES = {
    "mixtral": Recipe(MixtralForCausalLM, MixtralConfig, FIELDS, n_shards=2),
    "mixtral-fused": Recipe(MixtralForCausalLM, MixtralConfig, dict(**FIELDS, sliding_window=16), dtype="float16", has_published_names=False),
}
