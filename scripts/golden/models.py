"""Tiny random models (test/fixtures/models) and what they must compute (test/golden/models)."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import (
    GenerationConfig, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, PreTrainedModel, Qwen2Config,
    Qwen2ForCausalLM,
)
from transformers.utils import logging

from . import decoder
from .common import SEED, write_json
from .tiny_tokenizers import KINDS, make_tokenizer

N_GREEDY = 16
N_PROMPTS = 24

NOTES = [
    "test/fixtures/models: random weights, stored in the dtype of config.json. test/golden/models/<model>.safetensors: "
    "`tokens` int64 [T] and one fp32 tensor [T,V] per weight format, named by the format: `stored` = the weights as they "
    "stand in the file, the others = every linear layer but lm_head quantized (block 64) and decoded exactly in fp32. "
    "All arithmetic in fp32, eager attention, no cache. <model>.json: the greedy continuation of the tokens per format "
    "and the smallest lead of its tokens over the second best.",
    "test/fixtures/models/mistral: sliding window 16 with 40 tokens, head_dim 32 with 3 heads and width 48; fp16.",
]


@dataclass(frozen=True)
class Recipe:
    """One model: its class, the fields of its configuration that differ from COMMON, its tokenizer, its results."""

    model: type[PreTrainedModel]
    config: type
    dtype: str
    tokenizer: str
    fields: dict[str, Any]
    formats: tuple[str, ...] = ()
    n_tokens: int = 20
    n_shards: int = 1
    has_template_file: bool = False  # chat_template.jinja instead of a field of tokenizer_config.json
    has_old_config: bool = False  # config.json as transformers 4 wrote it: torch_dtype, rope_theta, rope_scaling
    extra_generation: dict[str, Any] = field(default_factory=dict)


COMMON = dict(vocab_size=320, num_hidden_layers=2, max_position_embeddings=256, rms_norm_eps=1e-5, attention_dropout=0.0)
SMALL = dict(hidden_size=48, num_attention_heads=3, num_key_value_heads=1, intermediate_size=64)
# Rows of 64 and 128: the CPU backend of bitsandbytes runs only rows that are a multiple of the block.
MEDIUM = dict(hidden_size=64, num_attention_heads=4, num_key_value_heads=2, intermediate_size=128)
LLAMA = dict(model=LlamaForCausalLM, config=LlamaConfig)

RECIPES = {
    "llama": Recipe(**LLAMA, dtype="bfloat16", tokenizer="smollm", formats=decoder.QUANTIZED_FORMATS,
                    fields=dict(**MEDIUM, tie_word_embeddings=False, rope_theta=10000.0)),
    # Rows of 96 and 80: 4-bit blocks cross the ends of rows.
    "llama-tied-sharded": Recipe(**LLAMA, dtype="bfloat16", tokenizer="spm", formats=("nf4", "nf4-dq", "int8"),
                                 n_shards=3, fields=dict(vocab_size=384, hidden_size=96, num_attention_heads=6,
                                                         num_key_value_heads=2, intermediate_size=80,
                                                         tie_word_embeddings=True, rope_theta=100000.0)),
    # Wavelengths from 6 to 20000 around an original context of 32: all three bands of the scaling are used.
    "llama-rope-llama3": Recipe(**LLAMA, dtype="bfloat16", tokenizer="llama3", has_template_file=True, n_tokens=40,
                                fields=dict(**SMALL, tie_word_embeddings=True, rope_theta=10000.0, rope_scaling=dict(
                                    rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                    original_max_position_embeddings=32)),
                                extra_generation=dict(do_sample=True, temperature=0.6, top_p=0.9)),
    "llama-rope-linear": Recipe(**LLAMA, dtype="bfloat16", tokenizer="smollm", has_old_config=True,
                                fields=dict(**SMALL, tie_word_embeddings=True, rope_theta=10000.0,
                                            rope_scaling=dict(rope_type="linear", factor=4.0))),
    "llama-bias": Recipe(**LLAMA, dtype="float32", tokenizer="smollm", formats=("nf4",),
                         fields=dict(**SMALL, tie_word_embeddings=True, rope_theta=10000.0, attention_bias=True,
                                     mlp_bias=True)),
    "mistral": Recipe(MistralForCausalLM, MistralConfig, "float16", "metaspace", n_tokens=40, has_old_config=True,
                      fields=dict(**SMALL, vocab_size=384, head_dim=32, sliding_window=16, tie_word_embeddings=True,
                                  rope_theta=10000.0)),
    "qwen2": Recipe(Qwen2ForCausalLM, Qwen2Config, "bfloat16", "qwen2", formats=("nf4-dq",), has_old_config=True,
                    fields=dict(**{**MEDIUM, "intermediate_size": 64}, tie_word_embeddings=True, rope_theta=1000000.0, rms_norm_eps=1e-6)),
}


def build(name: str) -> PreTrainedModel:
    """The random model of a recipe, rounded to its dtype and held in fp32.

    Wider than the usual initialization, so that attention is far from uniform and logits are far from each other.
    """
    recipe = RECIPES[name]
    tokenizer_kind = KINDS[recipe.tokenizer]
    tokenizer = make_tokenizer(recipe.tokenizer, {**COMMON, **recipe.fields}["vocab_size"])
    config = recipe.config(**{**COMMON, **recipe.fields}, attn_implementation="eager",
                           bos_token_id=tokenizer.convert_tokens_to_ids(tokenizer_kind.bos),
                           eos_token_id=tokenizer.convert_tokens_to_ids(tokenizer_kind.eos))
    generator = torch.Generator().manual_seed(SEED + list(RECIPES).index(name))
    model = recipe.model(config).eval()
    dtype = getattr(torch, recipe.dtype)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if key.endswith("norm.weight"):
                value = 1 + 0.2 * noise
            elif key.endswith(".bias"):
                value = 0.3 * noise
            else:  # a small embedding, or a tied head would only repeat the last token
                value = noise * (0.25 if "embed_tokens" in key else 1.5 / parameter.shape[1] ** 0.5)
            parameter.copy_(value.to(dtype).float())
    return model


def prompt(name: str, attempt: int) -> list[int]:
    recipe = RECIPES[name]
    generator = torch.Generator().manual_seed(SEED + 100 * (attempt + 1) + list(RECIPES).index(name))
    return torch.randint(5, {**COMMON, **recipe.fields}["vocab_size"], (recipe.n_tokens,), generator=generator).tolist()


def save_model(name: str, model: PreTrainedModel, folder: Path) -> None:
    recipe = RECIPES[name]
    shutil.rmtree(folder, ignore_errors=True)
    stored = recipe.model(model.config).to(getattr(torch, recipe.dtype))
    stored.load_state_dict(model.state_dict())
    stored.config.dtype = recipe.dtype
    stored.generation_config = GenerationConfig(bos_token_id=model.config.bos_token_id,
                                                eos_token_id=model.config.eos_token_id, **recipe.extra_generation)
    size_bytes = sum(p.numel() * p.element_size() for p in stored.parameters())
    shard_bytes = size_bytes if recipe.n_shards == 1 else size_bytes * 10 // (recipe.n_shards * 9)
    stored.save_pretrained(folder, max_shard_size=shard_bytes)
    n_shards = len(list(folder.glob("*.safetensors")))
    if n_shards != recipe.n_shards:
        raise AssertionError(f"{name}: {n_shards} shards instead of {recipe.n_shards}")
    tokenizer = make_tokenizer(recipe.tokenizer, model.config.vocab_size)
    tokenizer.save_pretrained(folder, save_jinja_files=recipe.has_template_file)
    if recipe.has_old_config:
        old_config(folder)


def old_config(folder: Path) -> None:
    """Rewrites config.json with the field names of transformers 4, which most published models have."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["torch_dtype"] = config.pop("dtype")
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    kind = rope.pop("rope_type")
    config["rope_scaling"] = None if kind == "default" else {"type": kind, **rope}
    config["transformers_version"] = "4.40.0"
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def check_folder(name: str, model: PreTrainedModel, folder: Path) -> None:
    """What was saved must load again and compute the same."""
    loaded = RECIPES[name].model.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokens = prompt(name, 0)
    if (decoder.logits(loaded, tokens) != decoder.logits(model, tokens)).any():
        raise AssertionError(f"{name}: the saved folder computes something else")


def results(name: str, variants: dict[str, PreTrainedModel], attempt: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(tensors, description) for one prompt."""
    tokens = prompt(name, attempt)
    tensors = {"tokens": np.array(tokens)}
    about: dict[str, Any] = {"model": name, "tokens": tokens, "greedy": {}, "smallest_lead": {}}
    for format_name, variant in variants.items():
        tensors[format_name] = decoder.logits(variant, tokens)
        about["greedy"][format_name], about["smallest_lead"][format_name] = decoder.greedy(variant, tokens, N_GREEDY)
    about["shape"] = list(tensors["stored"].shape)
    return tensors, about


def write_results(name: str, model: PreTrainedModel, golden: Path) -> None:
    """Takes the prompt, of N_PROMPTS, whose greedy continuations are varied and decided most clearly."""

    def quality(about: dict[str, Any]) -> float:
        is_varied = all(len(set(continuation)) >= N_GREEDY // 3 for continuation in about["greedy"].values())
        return min(about["smallest_lead"].values()) if is_varied else 0.0

    variants = {"stored": model, **{f: decoder.quantized_copy(model, f) for f in RECIPES[name].formats}}
    candidates = [results(name, variants, attempt) for attempt in range(N_PROMPTS)]
    tensors, about = max(candidates, key=lambda candidate: quality(candidate[1]))
    folder = golden / "models"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / f"{name}.safetensors")
    write_json(folder / f"{name}.json", about, indent=None)


def write(golden: Path, models: Path) -> None:
    logging.disable_progress_bar()
    shutil.rmtree(golden / "models", ignore_errors=True)
    for name in RECIPES:
        model = build(name)
        save_model(name, model, models / name)
        check_folder(name, model, models / name)
        write_results(name, model, golden)
