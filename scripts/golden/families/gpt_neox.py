import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from .recipe import TINY, Recipe


def as_published(folder: Path) -> None:
    """As Pythia: rotation by fields of its own, masks and frequencies among the tensors."""
    tensors = load_file(folder / "model.safetensors")
    for i in range(2):
        tensors |= {f"gpt_neox.layers.{i}.attention.bias": torch.ones(1, 1, 128, 128, dtype=torch.uint8).tril(),
                    f"gpt_neox.layers.{i}.attention.masked_bias": torch.tensor(-1e9),
                    f"gpt_neox.layers.{i}.attention.rotary_emb.inv_freq": torch.ones(2)}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config |= {"rotary_emb_base": rope["rope_theta"], "rotary_pct": rope["partial_rotary_factor"], "torch_dtype": config.pop("dtype")}
    del config["attention_bias"]
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


ROPE = dict(rope_type="default", rope_theta=10000.0)

RECIPES = {
    "gpt-neox": Recipe(GPTNeoXForCausalLM, GPTNeoXConfig, dict(
        **TINY, rope_parameters=dict(**ROPE, partial_rotary_factor=0.5)), dtype="float16", rewrite=as_published),
    "gpt-neox-sequential": Recipe(GPTNeoXForCausalLM, GPTNeoXConfig, dict(
        **TINY, use_parallel_residual=False, attention_bias=False, hidden_act="gelu_fast", tie_word_embeddings=True,
        rope_parameters=dict(**ROPE, partial_rotary_factor=1.0)), n_shards=2),
}
