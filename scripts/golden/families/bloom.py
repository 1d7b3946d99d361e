import json
from pathlib import Path

from safetensors.torch import load_file, save_file
from transformers import BloomConfig, BloomForCausalLM

from .recipe import Recipe

COMMON = dict(vocab_size=96, hidden_size=32, n_layer=2)


def as_published(folder: Path) -> None:
    """As bloom-560m: names of the base model, an old configuration."""
    tensors = {key.removeprefix("transformer."): tensor for key, tensor in load_file(folder / "model.safetensors").items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config |= {"n_embed": config.pop("hidden_size"), "num_attention_heads": config.pop("n_head"), "n_inner": None, "seq_length": 2048,
               "offset_alibi": 100}
    for key in ("dtype", "tie_word_embeddings"):
        config.pop(key, None)
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


RECIPES = {
    "bloom": Recipe(BloomForCausalLM, BloomConfig, dict(**COMMON, n_head=4), dtype="float16", rewrite=as_published),
    # A number of heads that is no power of two.
    "bloom-residual": Recipe(BloomForCausalLM, BloomConfig, dict(
        **{**COMMON, "hidden_size": 48}, n_head=6, apply_residual_connection_post_layernorm=True), n_shards=2),
}
