"""The part of scripts/interop.py that goes through every architecture: folders of both programs, each read by the other."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, FalconForCausalLM

from .architectures import recipes
from .crossings import Runner
from .quantized_models import exact_codes, quantization_config
from .reference import folder_differences

# As test/main/models/architectures.test.ts: last bits of fp32 can turn the rounding of a key or value the other way.
ALLOWED = 2 * 2.0**-11
# transformers 5 converts none of Falcon's layers, which are a subclass of nn.Linear; Nibble does, and says so in the model card.
NOT_CONVERTED = (FalconForCausalLM,)


def _logits_differ(nibble: Runner, folder: Path, name: str, format_name: str, golden: Path) -> str | None:
    about = json.loads((golden / f"{name}.json").read_text())
    expected = load_file(golden / f"{name}.safetensors")[format_name]
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "logits.safetensors"
        # The golden arithmetic multiplies decoded weights by activations as they are.
        nibble.run("logits", folder, "--tokens", ",".join(map(str, about["tokens"])), "--out", out, "--compute-dtype", "fp32", "--exact")
        found = load_file(out)["logits"][about["rows"]]
    distance = float(np.abs(found - expected).max() / np.abs(expected).max())
    return None if distance < ALLOWED else f"logits are {distance:.2g} of the largest from exact arithmetic"


def every_architecture(nibble: Runner, fixtures: Path, golden: Path, work: Path, formats: list[str]) -> Iterator[str]:
    """Each fixture that transformers knows is quantized by both programs: the folders must be the same, and compute in Nibble what the
    golden file says; ours must load in transformers with every layer in its place."""
    for name, recipe in recipes().items():
        if recipe.rewrite or recipe.model in NOT_CONVERTED:
            continue
        for format_name in formats:
            print(f"  {name} in {format_name}", flush=True)
            ours, theirs = work / f"{name}-{format_name}-nibble", work / f"{name}-{format_name}-bitsandbytes"
            with exact_codes():
                AutoModelForCausalLM.from_pretrained(fixtures / name, quantization_config=quantization_config(format_name),
                                                     dtype=getattr(torch, recipe.dtype), device_map="cpu").save_pretrained(theirs)
            nibble.run("quantize", fixtures / name, "--out", ours, "--format", format_name, "--compute-dtype", "bf16")
            problems = list(folder_differences(ours, theirs, is_exact=True))
            if difference := _logits_differ(nibble, theirs, name, format_name, golden):
                problems.append(difference)
            yield from (f"{name} in {format_name}: {problem}" for problem in problems)
