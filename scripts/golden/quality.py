"""How far a format moves a model, measured with transformers + bitsandbytes: the other side of `nibble eval`. As a part of make_golden.py
it writes test/golden/quality.json.

The protocol is that of main/engine/quality-windows.ts: ids of the text without special tokens, cut into windows; each window begins afresh
with what the tokenizer puts in front of a text; all tokens of a window but its first are predicted, and each counts once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from . import decoder
from .common import write_json
from .failure import Failure
from .quantized_models import exact_codes, quantization_config
from .texts import LINES

NOTES = [
    "quality.json: perplexity, KL(original || format) and same most likely token of test/fixtures/models/llama and llama-tied-sharded (whose "
    "tokenizer begins a text with <s>) on `text`, by transformers in fp32, log-softmax in fp64. nf4 and nf4-dq: linear layers quantized by "
    "scripts/golden/blockwise.py and decoded exactly; int8: LLM.int8() of bitsandbytes on a CPU.",
]

FORMATS = ("nf4", "nf4-dq", "int8")
WINDOW = 100


@dataclass
class Figures:
    perplexity: float
    kl_mean: float
    kl_max: float
    same_top_token: float


def windows(tokenizer: Any, text: str, size: int, max_tokens: int = 0) -> list[list[int]]:
    nothing, something = tokenizer("").input_ids, tokenizer("a").input_ids
    lead = something[: next((i for i, token in enumerate(something) if i >= len(nothing) or token != nothing[i]), len(something))]
    ids = tokenizer(text, add_special_tokens=False).input_ids
    ids = ids[: max_tokens or len(ids)]
    step = size - len(lead)
    parts = [lead + ids[at : at + step] for at in range(0, len(ids), step)]
    return [part for part in parts if len(part) > 1]


@torch.no_grad()
def _log_probabilities(model: nn.Module, window: list[int]) -> torch.Tensor:
    """[T - 1, V] fp64: of each token but the first."""
    return torch.log_softmax(model(torch.tensor([window]), use_cache=False).logits[0, :-1].double(), dim=-1)


def figures(original: nn.Module, model: nn.Module, parts: list[list[int]]) -> Figures:
    losses, divergences, same = [], [], 0
    for part in parts:
        p = _log_probabilities(original, part)
        q = p if model is original else _log_probabilities(model, part)
        losses.append(-q.gather(1, torch.tensor(part[1:])[:, None])[:, 0])
        divergences.append((p.exp() * (p - q)).sum(-1))
        same += int((p.argmax(-1) == q.argmax(-1)).sum())
    loss, divergence = torch.cat(losses), torch.cat(divergences)
    return Figures(math.exp(loss.mean()), float(divergence.mean()), float(divergence.max()), same / len(loss))


def load(path: Path, dtype: torch.dtype, format_name: str | None = None) -> PreTrainedModel:
    """The model, or a format of it made by bitsandbytes while loading, computing in `dtype`."""
    if format_name is None:
        return AutoModelForCausalLM.from_pretrained(path, dtype=dtype).eval()
    config = quantization_config(format_name)
    config.bnb_4bit_compute_dtype = dtype
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype, quantization_config=config, device_map="cpu").eval()


def measure(path: Path, text: str, formats: list[str], dtype: torch.dtype, size: int, max_tokens: int = 0) -> dict[str, Any]:
    parts = windows(AutoTokenizer.from_pretrained(path), text, size, max_tokens)
    original = load(path, dtype)
    result = {"tokens": sum(len(part) - 1 for part in parts), "original": asdict(figures(original, original, parts))}
    return result | {name: asdict(figures(original, load(path, dtype, name), parts)) for name in formats}


def differences(ours: dict[str, Any], theirs: dict[str, Any], tolerance: float, int8_tolerance: float) -> Iterator[str]:
    """Of what `nibble eval --quantize` says and measure() does: each figure, relatively; of shares the plain difference.

    int8_tolerance is for int8. What its activations are rounded to turns on their last bits, so that one program with its sums in another
    order is further from itself than `tolerance`: on SmolLM2-135M and 2044 tokens Nibble's three instruction sets give perplexities from
    29.19 to 29.42 and divergences from 0.0239 to 0.0245, bitsandbytes in fp32 29.21 and 0.0226, in bf16 29.41 and 0.0258.
    """
    if ours["tokens"] != theirs["tokens"]:
        yield f"{ours['tokens']} tokens instead of {theirs['tokens']}"
    for name, mine in {"original": ours["baseline"], **{one["format"]: one for one in ours["formats"]}}.items():
        for key in ("perplexity",) if name == "original" else ("perplexity", "kl_mean", "same_top_token"):
            wanted = theirs[name][key]
            distance = abs(mine[key] - wanted) / (1 if key == "same_top_token" else wanted)
            print(f"    {name} {key}: {mine[key]:.6g}, by bitsandbytes {wanted:.6g} ({distance:.3%})")
            if not distance <= (int8_tolerance if name == "int8" else tolerance):
                yield f"{name}: {key} is {mine[key]:.6g} instead of {wanted:.6g}"


def crossing(nibble: Any, path: Path, work: Path, formats: list[str]) -> Iterator[str]:
    """A part of scripts/interop.py: the figures of both programs, in fp32, where the only freedom is the order of sums."""
    text = "\n".join(LINES)
    file = work / "quality.txt"
    file.write_text(text, encoding="utf-8")
    with exact_codes():
        theirs = measure(path, text, formats, torch.float32, WINDOW)
    ours = nibble.run("eval", path, "--text", file, "--window", WINDOW, "--quantize", ",".join(formats), "--compute-dtype", "fp32")
    yield from (f"quality: {difference}" for difference in differences(ours, theirs, 0.005, 0.02))


def _golden(path: Path, text: str) -> dict[str, Any]:
    """4-bit formats by exact codes in exact arithmetic, which bitsandbytes' CPU kernels have no means for; int8 by bitsandbytes."""
    parts = windows(AutoTokenizer.from_pretrained(path), text, WINDOW)
    original = load(path, torch.float32)
    result = {"tokens": sum(len(part) - 1 for part in parts), "original": asdict(figures(original, original, parts))}
    for name in FORMATS:
        model = load(path, torch.float32, name) if name == "int8" else decoder.quantized_copy(original, name)
        result[name] = asdict(figures(original, model, parts))
    return result


def write(golden: Path, models: Path) -> None:
    text = "\n".join(LINES)
    found = {name: _golden(models / name, text) for name in ("llama", "llama-tied-sharded")}
    if any(model["tokens"] < 500 for model in found.values()):
        raise Failure("the text of the quality figures is too short")
    write_json(golden / "quality.json", {"text": text, "window": WINDOW, "models": found})
