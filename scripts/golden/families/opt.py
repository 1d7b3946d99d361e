from transformers import OPTConfig, OPTForCausalLM

from .recipe import Recipe

COMMON = dict(vocab_size=96, hidden_size=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128)
OPT = dict(model=OPTForCausalLM, config=OPTConfig)

RECIPES = {
    "opt": Recipe(**OPT, fields=dict(**COMMON, word_embed_proj_dim=32), n_shards=2),
    "opt-350m": Recipe(**OPT, fields=dict(**COMMON, word_embed_proj_dim=16, do_layer_norm_before=False), dtype="float16"),
    "opt-plain": Recipe(**OPT, fields=dict(
        **COMMON, word_embed_proj_dim=32, enable_bias=False, layer_norm_elementwise_affine=False, _remove_final_layer_norm=True,
        activation_function="gelu", tie_word_embeddings=False)),
}
