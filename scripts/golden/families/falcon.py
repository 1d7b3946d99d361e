from transformers import FalconConfig, FalconForCausalLM

from .recipe import Recipe

COMMON = dict(vocab_size=96, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128)
FALCON = dict(model=FalconForCausalLM, config=FalconConfig)
GROUPS = dict(**COMMON, new_decoder_architecture=True, num_kv_heads=2)

RECIPES = {
    "falcon": Recipe(**FALCON, fields=COMMON),
    "falcon-40b": Recipe(**FALCON, fields=GROUPS, n_shards=2),
    "falcon-11b": Recipe(**FALCON, fields=dict(
        **GROUPS, num_ln_in_parallel_attn=1, ffn_hidden_size=48, tie_word_embeddings=False)),
    # Eager attention of transformers 5 adds the linear biases twice.
    "falcon-rw": Recipe(**FALCON, fields=dict(
        **COMMON, alibi=True, bias=True, multi_query=False, parallel_attn=False, attn_implementation="sdpa")),
}
