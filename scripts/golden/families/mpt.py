import functools
import json
from pathlib import Path

import torch
from torch import nn
from transformers import MptConfig, MptForCausalLM

from .recipe import Recipe

COMMON = dict(vocab_size=96, d_model=32, n_layers=2, max_seq_len=128)


def bias_of_16(model: nn.Module, _: torch.Generator) -> None:
    """transformers leaves alibi_bias_max aside."""
    transformer = model.transformer
    transformer.build_mpt_alibi_tensor = functools.partial(type(transformer).build_mpt_alibi_tensor, transformer, alibi_bias_max=16)


def as_published(folder: Path) -> None:
    """As mpt-7b-storywriter."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config |= {"architectures": ["MPTForCausalLM"], "torch_dtype": config.pop("dtype"), "embedding_fraction": 1.0, "verbose": 0}
    config["attn_config"] = {
        "alibi": True, "alibi_bias_max": 16, "attn_impl": "torch", "attn_pdrop": 0, "attn_type": "multihead_attention",
        "attn_uses_sequence_id": False, "clip_qkv": 1.5, "prefix_lm": False, "qk_ln": False, "softmax_scale": None}
    for key in ("tie_word_embeddings", "layer_norm_epsilon"):
        config.pop(key, None)
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


RECIPES = {
    "mpt": Recipe(MptForCausalLM, MptConfig, dict(**COMMON, n_heads=4, attn_config=dict(softmax_scale=0.5)), n_shards=2),
    "mpt-storywriter": Recipe(MptForCausalLM, MptConfig, dict(**{**COMMON, "d_model": 48}, n_heads=6, attn_config=dict(clip_qkv=1.5)),
                              adjust=bias_of_16, rewrite=as_published),
}
