from pathlib import Path

from safetensors.torch import load_file, save_file
from transformers import OPTConfig, OPTForCausalLM

from .recipe import Recipe

COMMON = dict(vocab_size=96, hidden_size=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128)


def as_published(folder: Path) -> None:
    """Names of the base model, and the tied head as a tensor of its own."""
    tensors = {key.removeprefix("model."): tensor for key, tensor in load_file(folder / "model.safetensors").items()}
    tensors["lm_head.weight"] = tensors["decoder.embed_tokens.weight"].clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


OPT = dict(model=OPTForCausalLM, config=OPTConfig)

RECIPES = {
    "opt": Recipe(**OPT, fields=dict(**COMMON, word_embed_proj_dim=32), n_shards=2),
    "opt-350m": Recipe(**OPT, fields=dict(**COMMON, word_embed_proj_dim=16, do_layer_norm_before=False), dtype="float16",
                       rewrite=as_published),
    "opt-plain": Recipe(**OPT, fields=dict(
        **COMMON, word_embed_proj_dim=32, enable_bias=False, layer_norm_elementwise_affine=False, _remove_final_layer_norm=True,
        activation_function="gelu", tie_word_embeddings=False)),
}
