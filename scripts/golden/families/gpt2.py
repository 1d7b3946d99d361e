"""GPT-2 and what is made like it: GPT BigCode, GPT-Neo, GPT-J, CodeGen."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    CodeGenConfig, CodeGenForCausalLM, GPT2Config, GPT2LMHeadModel, GPTBigCodeConfig, GPTBigCodeForCausalLM, GPTJConfig, GPTJForCausalLM, GPTNeoConfig, GPTNeoForCausalLM,
)

from .recipe import Recipe

COMMON = dict(vocab_size=96, n_embd=32, n_layer=2, n_head=4, n_positions=128, bos_token_id=1, eos_token_id=2)
MASK = torch.ones(1, 1, 128, 128, dtype=torch.uint8).tril()


def as_published(folder: Path) -> None:
    """As gpt2: names of the base model, the causal mask of each layer among the tensors, an old configuration."""
    tensors = {key.removeprefix("transformer."): tensor for key, tensor in load_file(folder / "model.safetensors").items()}
    tensors |= {f"h.{i}.attn.bias": MASK.clone() for i in range(2)}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for key in ("dtype", "n_inner", "tie_word_embeddings", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "add_cross_attention"):
        config.pop(key, None)
    path.write_text(json.dumps(config | {"n_ctx": config["n_positions"]}, indent=2, sort_keys=True) + "\n")


def with_masks(folder: Path) -> None:
    """As gpt-j-6b: masks and what they put into scores among the tensors."""
    tensors = load_file(folder / "model.safetensors")
    for i in range(2):
        tensors |= {f"transformer.h.{i}.attn.bias": MASK.clone(), f"transformer.h.{i}.attn.masked_bias": torch.tensor(-1e9)}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


NEO = dict(vocab_size=96, hidden_size=32, num_layers=2, num_heads=4, max_position_embeddings=128, bos_token_id=1, eos_token_id=2)

RECIPES = {
    "codegen": Recipe(CodeGenForCausalLM, CodeGenConfig, dict(**{**COMMON, "n_embd": 64, "n_head": 8}, n_inner=48, rotary_dim=4),
                      dtype="float16", rewrite=with_masks),
    "gpt2-scaled-by-layer": Recipe(GPT2LMHeadModel, GPT2Config, dict(**COMMON, scale_attn_by_inverse_layer_idx=True)),
    "gpt2": Recipe(GPT2LMHeadModel, GPT2Config, COMMON, rewrite=as_published, dtype="float32"),
    "gpt2-untied": Recipe(GPT2LMHeadModel, GPT2Config, dict(
        **COMMON, n_inner=48, scale_attn_weights=False, activation_function="relu", tie_word_embeddings=False), n_shards=2),
    "gpt-bigcode": Recipe(GPTBigCodeForCausalLM, GPTBigCodeConfig, dict(**COMMON, n_inner=48)),
    "gpt-bigcode-all-heads": Recipe(GPTBigCodeForCausalLM, GPTBigCodeConfig, dict(**COMMON, multi_query=False)),
    "gpt-neo": Recipe(GPTNeoForCausalLM, GPTNeoConfig, dict(**NEO, attention_types=[[["global", "local"], 1]], window_size=16)),
    "gptj": Recipe(GPTJForCausalLM, GPTJConfig, dict(**COMMON, rotary_dim=4), dtype="float16", rewrite=with_masks),
}
