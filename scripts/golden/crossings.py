"""The parts of scripts/interop.py that need no chat model: other kinds of models, other ways to store them, PEFT."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from bitsandbytes.nn.parametrize import replace_parameter_4bit
from peft import LoraConfig, get_peft_model
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_torch
from safetensors.torch import save_file
from torch import nn
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from . import kinds
from .common import SEED
from .quantized_models import exact_codes, quantization_config
from .reference import folder_differences

COMPUTE_TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
STORAGE_TYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32)
TOKENS = [3, 17, 42, 8, 99, 3, 61, 5]
# One row of the gate of its shared expert: bitsandbytes' fused CPU kernel ends with an assertion there.
CANNOT_RUN_4BIT = {"qwen2-moe"}


class Runner(Protocol):
    """Our command line; see interop.Nibble."""

    def run(self, *args: object) -> dict[str, Any]: ...


def other_kinds(nibble: Runner, work: Path, formats: list[str]) -> Iterator[str]:
    """Models of every kind quantized by both: the same tensors and the same config.json; ours loads in transformers and computes the same."""
    for name in kinds.KINDS:
        source = work / name
        kinds.save(name, source)
        for format_name in formats:
            ours, theirs = work / f"{name}-{format_name}-nibble", work / f"{name}-{format_name}-bitsandbytes"
            print(f"  {name} in {format_name}", flush=True)
            with exact_codes():
                kinds.quantize(name, source, theirs, quantization_config(format_name))
            report = nibble.run("quantize", source, "--out", ours, "--format", format_name, "--compute-dtype", "bf16")
            yield from (f"{name} in {format_name}: {difference}" for difference in folder_differences(ours, theirs, is_exact=True))
            if (loaded := kinds.n_quantized(name, ours)) != report["tensors_quantized"]:
                yield f"{name} in {format_name}: transformers has {loaded} quantized layers of {report['tensors_quantized']}"
            if name in CANNOT_RUN_4BIT and format_name != "int8":
                continue
            if (kinds.logits(name, ours) != kinds.logits(name, theirs)).any():
                yield f"{name} in {format_name}: transformers computes something else from our folder"


def compute_types(nibble: Runner, source: Path, work: Path) -> Iterator[str]:
    """The type to compute in is written as transformers writes it."""
    for name, dtype in COMPUTE_TYPES.items():
        ours, theirs = work / f"compute-{name}-nibble", work / f"compute-{name}-bitsandbytes"
        config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
        AutoModelForCausalLM.from_pretrained(source, quantization_config=config, dtype=torch.bfloat16, device_map="cpu").save_pretrained(theirs)
        nibble.run("quantize", source, "--out", ours, "--format", "nf4", "--compute-dtype", name)
        if (ours / "config.json").read_text() != (theirs / "config.json").read_text():
            yield f"compute type {name}: config.json is not the text that transformers writes"


def _our_logits(nibble: Runner, folder: Path) -> np.ndarray:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "logits.safetensors"
        nibble.run("logits", folder, "--tokens", ",".join(map(str, TOKENS)), "--out", out)
        return load_file(out)["logits"]


def stored_variants(nibble: Runner, source: Path, work: Path) -> Iterator[str]:
    """Whatever type holds the codes and however many files: Nibble reads the same model."""
    for kind, is_nested in (("nf4", True), ("fp4", False)):
        first: np.ndarray | None = None
        for storage in STORAGE_TYPES:
            for shard_size in ("50GB", "40KB"):
                folder = work / f"{kind}-{str(storage)[6:]}-{shard_size}"
                config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=kind, bnb_4bit_use_double_quant=is_nested,
                                            bnb_4bit_quant_storage=storage)
                model = AutoModelForCausalLM.from_pretrained(source, quantization_config=config, dtype=torch.bfloat16, device_map="cpu")
                model.save_pretrained(folder, max_shard_size=shard_size)
                logits = _our_logits(nibble, folder)
                first = logits if first is None else first
                if (logits != first).any():
                    yield f"{folder.name}: other logits than with uint8 in one file"


def quantized_head(nibble: Runner, source: Path, work: Path) -> Iterator[str]:
    """A head that no list of modules names is quantized by both, and read by both."""
    ours, theirs = work / "head-nibble", work / "head-bitsandbytes"
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16,
                                llm_int8_skip_modules=[])
    with exact_codes():
        model = AutoModelForCausalLM.from_pretrained(source, quantization_config=config, dtype=torch.bfloat16, device_map="cpu")
        model.save_pretrained(theirs)
    nibble.run("quantize", source, "--out", ours, "--format", "nf4", "--compute-dtype", "bf16", "--skip-modules=")
    yield from (f"quantized head: {difference}" for difference in folder_differences(ours, theirs, is_exact=True))
    if (_our_logits(nibble, theirs) != _our_logits(nibble, ours)).any():
        yield "quantized head: Nibble computes something else from the folder of transformers"


def expert_keys(nibble: Runner, work: Path) -> Iterator[str]:
    """Experts in one parameter get the keys and bytes that replace_parameter_4bit gives them."""
    source = work / "experts"
    source.mkdir(parents=True)
    (source / "config.json").write_text('{"architectures": ["Experts"], "model_type": "experts", "dtype": "bfloat16"}')
    module = nn.Module()
    generator = torch.Generator().manual_seed(SEED)
    for name, shape in (("gate_up_proj", (3, 96, 40)), ("down_proj", (3, 40, 48))):
        module.register_parameter(name, nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.bfloat16), requires_grad=False))
    save_file({f"experts.{key}": value for key, value in module.state_dict().items()}, source / "model.safetensors")
    for experts in ("nf4", "nf4-dq", "fp4", "fp4-dq"):
        kind, _, nested = experts.partition("-")
        theirs = copy.deepcopy(module)
        with exact_codes():
            for name in ("gate_up_proj", "down_proj"):
                replace_parameter_4bit(theirs, name, compress_statistics=bool(nested), quant_type=kind)
        expected = {f"experts.{key}": value for key, value in theirs.state_dict().items()}
        out = work / f"experts-{experts}"
        nibble.run("quantize", source, "--out", out, "--format", "nf4", "--experts", experts)
        ours = load_torch(out / "model.safetensors")
        yield from (f"experts in {experts}: {name} is in one of the two only" for name in sorted(ours.keys() ^ expected.keys()))
        yield from (f"experts in {experts}: {name} differs" for name in sorted(ours.keys() & expected.keys())
                    if ours[name].dtype != expected[name].dtype or not torch.equal(ours[name], expected[name]))


def peft(nibble: Runner, source: Path, work: Path, formats: list[str]) -> Iterator[str]:
    """LoRA goes around the layers of our folder, and one step forward and back runs."""
    for format_name in formats:
        folder = work / f"peft-{format_name}"
        nibble.run("quantize", source, "--out", folder, "--format", format_name, "--compute-dtype", "bf16")
        model = AutoModelForCausalLM.from_pretrained(folder, device_map="cpu")
        model = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
        ids = torch.tensor([TOKENS])
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        gradients = [p.grad for name, p in model.named_parameters() if "lora_B" in name]
        if not gradients or not all(g is not None and torch.isfinite(g).all() and g.abs().max() > 0 for g in gradients):
            yield f"PEFT on {format_name}: no gradient at some layer"
        if not torch.isfinite(loss):
            yield f"PEFT on {format_name}: the loss is {float(loss)}"
