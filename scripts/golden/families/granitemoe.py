from transformers import GraniteMoeConfig, GraniteMoeForCausalLM

from .recipe import TINY, Recipe

FIELDS = dict(**TINY, num_key_value_heads=2, num_local_experts=6, num_experts_per_tok=3, embedding_multiplier=6.0, residual_multiplier=0.4,
              attention_multiplier=0.2, logits_scaling=2.0, tie_word_embeddings=True)

RECIPES = {
    "granitemoe": Recipe(GraniteMoeForCausalLM, GraniteMoeConfig, FIELDS),
    "granitemoe-renamed": Recipe(GraniteMoeForCausalLM, GraniteMoeConfig, FIELDS, has_published_names=False),
}
