"""Folders as transformers + bitsandbytes save them (test/fixtures/models/llama-<format>), from the tiny Llama."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bitsandbytes.functional as bnb
import numpy as np
import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from transformers.utils import logging

from .blockwise import encode_4bit, encode_absmax

NOTES = [
    "test/fixtures/models/llama-{nf4,nf4-dq,fp4,int8}: written by save_pretrained of transformers with bitsandbytes, from "
    "test/fixtures/models/llama in bfloat16, compute dtype bfloat16. While they were written, the 4-bit codes, the "
    "nested codes and the nested offset of bitsandbytes' CPU backend were replaced by the exact ones of "
    "scripts/golden/blockwise.py, which is what its CUDA kernels give; everything else is as written. Int8 is unchanged.",
]

MODEL = "llama"


def quantization_config(format_name: str) -> BitsAndBytesConfig:
    if format_name == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    kind, _, nested = format_name.partition("-")
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=kind, bnb_4bit_use_double_quant=bool(nested),
                              bnb_4bit_compute_dtype=torch.bfloat16)


def _replace(tensor: torch.Tensor, exact: np.ndarray) -> int:
    """Overwrites the tensor in place; returns how many elements were different."""
    new = torch.from_numpy(exact).reshape(tensor.shape)
    different = int((tensor != new).sum())
    tensor.copy_(new)
    return different


@contextmanager
def exact_codes() -> Iterator[Counter]:
    """Within it, bitsandbytes quantizes 4-bit tensors by the exact rule; yields what differed from its CPU backend."""
    original, changed = bnb.quantize_4bit, Counter()

    def quantize_4bit(weight: torch.Tensor, *args: object, **options: object) -> tuple[torch.Tensor, bnb.QuantState]:
        packed, state = original(weight, *args, **options)
        exact, absmax = encode_4bit(weight.detach().float().numpy(), state.blocksize, state.quant_type)
        changed["packed bytes"] += _replace(packed, exact)
        if state.nested:
            nested = encode_absmax(absmax)
            changed["offsets"] += _replace(state.offset, np.array(nested.offset))
            changed["nested codes"] += _replace(state.absmax, nested.codes)
            changed["nested absmax"] += _replace(state.state2.absmax, nested.absmax)
        else:
            changed["absmax"] += _replace(state.absmax, absmax)
        return packed, state

    bnb.quantize_4bit = quantize_4bit
    try:
        yield changed
    finally:
        bnb.quantize_4bit = original


def write(_golden: Path, models: Path) -> None:
    logging.disable_progress_bar()
    for format_name in ("nf4", "nf4-dq", "fp4", "int8"):
        folder = models / f"{MODEL}-{format_name}"
        shutil.rmtree(folder, ignore_errors=True)
        with exact_codes() as changed:
            model = AutoModelForCausalLM.from_pretrained(models / MODEL, quantization_config=quantization_config(format_name),
                                                         dtype=torch.bfloat16, device_map="cpu")
            model.save_pretrained(folder)
        print(f"  {folder.name}: CPU backend differed in {dict(changed) or 'nothing'}")
