"""One tiny random model of every architecture (test/fixtures/architectures) and what it must compute (test/golden/architectures)."""

from __future__ import annotations

import copy
import importlib
import pkgutil
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn
from transformers import DynamicCache, GenerationConfig, PreTrainedModel
from transformers.models.falcon.modeling_falcon import FalconLinear
from transformers.pytorch_utils import Conv1D
from transformers.quantizers.base import get_keys_to_not_convert
from transformers.quantizers.quantizers_utils import should_convert_module
from transformers.utils import logging

from . import decoder, families
from .common import SEED, write_json
from .families.recipe import Recipe

N_GREEDY = 12
N_PROMPTS = 16
# Relative error of a router's input that must not change which experts are chosen: that of keys and values in fp16.
ROUTING_NOISE = 2.0**-11
# Rows of the logits that are kept, by share of the tokens: enough to see a wrong position, mask or window.
N_ROWS = 8

NOTES = [
    "test/fixtures/architectures: random weights, made by the families of scripts/golden/families. "
    "test/golden/architectures/<name>.safetensors: one fp32 tensor [rows, V] per weight format: `stored` = the weights as they stand in "
    "the file, the others = every module that transformers gives to bitsandbytes quantized (block 64) and decoded exactly in fp32; the rows "
    "are those positions of <name>.json. All arithmetic in fp32, eager attention, keys and values rounded to fp16, as the engine keeps them. "
    "<name>.json: tokens, rows, the greedy continuation per format (no cache, no rounding) and the smallest lead of its tokens over the second "
    "best.",
]


def recipes() -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    for module in sorted(pkgutil.iter_modules(families.__path__), key=lambda module: module.name):
        own = getattr(importlib.import_module(f"{families.__name__}.{module.name}"), "RECIPES", {})
        if twice := found.keys() & own.keys():
            raise AssertionError(f"two recipes are called {', '.join(twice)}")
        found |= own
    return found


def _generator(name: str, number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(SEED + zlib.crc32(name.encode()) % 1_000_000 + number)


def build(name: str, recipe: Recipe) -> PreTrainedModel:
    """The random model, rounded to its dtype and held in fp32. Wider than the usual initialization, so that attention is far from
    uniform and logits are far from each other."""
    torch.manual_seed(SEED)  # what adjust() leaves as it was drawn
    config = recipe.config(**{"attn_implementation": "eager", **recipe.fields})
    generator, dtype = _generator(name), getattr(torch, recipe.dtype)
    model = recipe.model(config).eval().float()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(_value(key, noise, recipe).to(dtype).float())
        if recipe.adjust:
            recipe.adjust(model, generator)
    return model


def _value(key: str, noise: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    module, _, kind = key.rpartition(".")
    if kind.endswith("bias") or kind == "sinks":
        return 0.3 * noise
    if "norm" in module.rpartition(".")[2] or ".ln_" in f".{module}" or "layernorm" in module or module.endswith(("norm", "ln_f")):
        return recipe.norm_center + 0.2 * noise
    if "embed" in key or key.endswith(("wte.weight", "wpe.weight")):  # small, or a tied head would only repeat the last token
        return 0.25 * noise
    return noise * (1.5 / noise.shape[-1] ** 0.5)


def save(name: str, recipe: Recipe, model: PreTrainedModel, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    stored = copy.deepcopy(model).to(getattr(torch, recipe.dtype))
    stored.config.dtype = recipe.dtype
    stored.generation_config = GenerationConfig()
    size_bytes = sum(parameter.numel() * parameter.element_size() for parameter in stored.parameters())
    stored.save_pretrained(
        folder,
        max_shard_size=size_bytes * 2 if recipe.n_shards == 1 else size_bytes * 10 // (recipe.n_shards * 9),
        save_original_format=recipe.has_published_names,
    )
    (folder / "generation_config.json").unlink(missing_ok=True)
    if recipe.rewrite:
        recipe.rewrite(folder)
    n_shards = len(list(folder.glob("*.safetensors")))
    if n_shards != recipe.n_shards:
        raise AssertionError(f"{name}: {n_shards} shards instead of {recipe.n_shards}")


def check_folder(name: str, recipe: Recipe, model: PreTrainedModel, folder: Path) -> None:
    """What was saved must load again and compute the same; what was rewritten, transformers may not know."""
    if recipe.rewrite:
        return
    attention = recipe.fields.get("attn_implementation", "eager")
    loaded = recipe.model.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention).eval()
    tokens = prompt(name, recipe, 0)
    if (decoder.logits(loaded, tokens) != decoder.logits(model, tokens)).any():
        raise AssertionError(f"{name}: the saved folder computes something else")


def quantized_copy(model: PreTrainedModel, format_name: str) -> PreTrainedModel:
    """The model with what transformers converts for bitsandbytes replaced by its round trip: Conv1D is turned first; FalconLinear was
    converted up to transformers 4."""
    result = copy.deepcopy(model)
    kept = get_keys_to_not_convert(model)
    for key, module in result.named_modules():
        if type(module) not in (nn.Linear, Conv1D, FalconLinear) or not should_convert_module(key, kept):
            continue
        weight = module.weight.detach().numpy()
        if isinstance(module, Conv1D):
            weight = np.ascontiguousarray(weight.T)
        decoded = decoder.round_trip(weight, format_name)
        module.weight.data = torch.from_numpy(np.ascontiguousarray(decoded.T if isinstance(module, Conv1D) else decoded))
    return result


class Fp16Cache(DynamicCache):
    """Holds keys and values as the engine does, so that a difference of logits shows other things than this rounding."""

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any) -> Any:
        return super().update(key_states.half().float(), value_states.half().float(), layer_idx, *args, **kwargs)


def _in_fp16(expand: Callable[..., tuple[torch.Tensor, torch.Tensor]]) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """Latent attention: transformers keeps what keys and values are made from, the engine keeps them."""
    return lambda *args: tuple(part.half().float() for part in expand(*args))


@torch.no_grad()
def cached_logits(model: PreTrainedModel, tokens: list[int]) -> np.ndarray:
    """[T,V] fp32, one pass over all tokens."""
    latent = [module for module in model.modules() if hasattr(module, "expand_kv")]
    cache = DynamicCache(config=model.config) if latent else Fp16Cache(config=model.config)
    for module in latent:
        module.expand_kv = _in_fp16(module.expand_kv)
    logits = model(torch.tensor([tokens]), past_key_values=cache, use_cache=True).logits[0].float().numpy()
    for module in latent:
        del module.expand_kv
    if cache.get_seq_length() != len(tokens):
        raise AssertionError(f"{type(model).__name__} did not use the cache")
    return logits


def prompt(name: str, recipe: Recipe, attempt: int) -> list[int]:
    return torch.randint(5, recipe.fields["vocab_size"], (recipe.n_tokens,), generator=_generator(name, attempt + 1)).tolist()


def is_routing_decided(model: PreTrainedModel, tokens: list[int]) -> bool:
    """Whether every router chooses the same experts when what it reads is off by a little: a tie would make other logits altogether."""
    routers = [module for module in model.modules() if type(module).__name__.endswith("Router")]
    generator = torch.Generator().manual_seed(SEED)
    chosen: list[torch.Tensor] = []
    noise = 0.0

    def disturb(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (inputs[0] * (1 + noise * torch.randn(inputs[0].shape, generator=generator)), *inputs[1:])

    def collect(_: nn.Module, __: tuple[torch.Tensor, ...], output: tuple[torch.Tensor, ...]) -> None:
        chosen.append(output[-1].sort(-1).values)

    handles = [handle for router in routers for handle in (router.register_forward_pre_hook(disturb), router.register_forward_hook(collect))]
    decoder.logits(model, tokens)
    expected, noise = list(chosen), ROUTING_NOISE
    is_decided = True
    for _ in range(4 if routers else 0):
        chosen.clear()
        decoder.logits(model, tokens)
        is_decided &= all(torch.equal(a, b) for a, b in zip(expected, chosen, strict=True))
    for handle in handles:
        handle.remove()
    return is_decided


def results(name: str, recipe: Recipe, variants: dict[str, PreTrainedModel], attempt: int) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Logits, what is to be told of them, and how clearly all is decided."""
    tokens = prompt(name, recipe, attempt)
    rows = sorted({round(i * (len(tokens) - 1) / (N_ROWS - 1)) for i in range(N_ROWS)})
    tensors: dict[str, Any] = {}
    about: dict[str, Any] = {"architecture": type(variants["stored"]).__name__, "tokens": tokens, "rows": rows, "greedy": {}, "smallest_lead": {}}
    for format_name, variant in variants.items():
        tensors[format_name] = np.ascontiguousarray(cached_logits(variant, tokens)[rows])
        about["greedy"][format_name], about["smallest_lead"][format_name] = decoder.greedy(variant, tokens, N_GREEDY)
    is_varied = all(len(set(continuation)) >= N_GREEDY // 3 for continuation in about["greedy"].values())
    is_decided = all(is_routing_decided(variant, tokens + about["greedy"][format_name]) for format_name, variant in variants.items())
    return tensors, about, min(about["smallest_lead"].values()) * (1.0 if is_varied else 0.01) * (1.0 if is_decided else 1e-4)


def write_results(name: str, recipe: Recipe, model: PreTrainedModel, golden: Path) -> None:
    """Takes the prompt, of N_PROMPTS, whose greedy continuations are varied and decided most clearly."""
    variants = {"stored": model, **{f: quantized_copy(model, f) for f in recipe.formats}}
    candidates = [results(name, recipe, variants, attempt) for attempt in range(N_PROMPTS)]
    tensors, about, quality = max(candidates, key=lambda candidate: candidate[2])
    if quality < 1e-4:
        raise AssertionError(f"{name}: of {N_PROMPTS} prompts none is decided clearly")
    golden.mkdir(parents=True, exist_ok=True)
    save_file(tensors, golden / f"{name}.safetensors")
    write_json(golden / f"{name}.json", about, indent=None)


def write(golden: Path, models: Path, only: str = "") -> None:
    """`only`: the fixtures whose names begin so."""
    logging.disable_progress_bar()
    fixtures = models.parent / "architectures"
    for name, recipe in recipes().items():
        if not name.startswith(only):
            continue
        model = build(name, recipe)
        save(name, recipe, model, fixtures / name)
        check_folder(name, recipe, model, fixtures / name)
        write_results(name, recipe, model, golden / "architectures")
