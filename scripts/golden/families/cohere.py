from transformers import Cohere2Config, Cohere2ForCausalLM, CohereConfig, CohereForCausalLM

from .recipe import TINY, Recipe

COMMON = dict(**TINY, num_key_value_heads=2, eos_token_id=2)

RECIPES = {
    "cohere": Recipe(CohereForCausalLM, CohereConfig, dict(**COMMON, logit_scale=0.25)),
    "cohere-qk-norm": Recipe(CohereForCausalLM, CohereConfig, dict(
        **COMMON, logit_scale=0.25, use_qk_norm=True, attention_bias=True, tie_word_embeddings=False)),
    "cohere2": Recipe(Cohere2ForCausalLM, Cohere2Config, dict(
        **COMMON, logit_scale=0.25, sliding_window=16, layer_types=["sliding_attention", "full_attention"])),
}
