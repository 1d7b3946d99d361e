"""Tiny models of other kinds than Llama and what transformers + bitsandbytes make of them (test/golden/kinds)."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers.utils import logging

from . import kinds
from .quantized_models import exact_codes, quantization_config

NOTES = [
    "test/golden/kinds/<kind>/{plain,nf4-dq,int8}: a tiny random model in bfloat16 and what save_pretrained of transformers with bitsandbytes "
    "writes of it, with the exact codes of scripts/golden/blockwise.py as in test/fixtures/models/llama-nf4-dq.",
]

FORMATS = {"gpt2": ("nf4-dq", "int8"), "t5": ("nf4-dq",), "mixtral": ("nf4-dq",), "llava": ("int8",)}


def write(golden: Path, _models: Path) -> None:
    logging.disable_progress_bar()
    shutil.rmtree(golden / "kinds", ignore_errors=True)
    for name, formats in FORMATS.items():
        plain = golden / "kinds" / name / "plain"
        kinds.save(name, plain)
        for format_name in formats:
            with exact_codes():
                kinds.quantize(name, plain, golden / "kinds" / name / format_name, quantization_config(format_name))
