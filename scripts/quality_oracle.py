#!/usr/bin/env python3
"""Compares `nibble eval` with transformers + bitsandbytes: the same model, text and windows, measured by both.

    python scripts/quality_oracle.py FOLDER --text FILE [--formats nf4,int8] [--window 512] [--max-tokens N] [--dtype bf16]

Prints every figure of both, and how far they are apart. Needs scripts/requirements-golden.txt.
Exit codes: 0 all within the tolerance, 1 not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of a 16/32-bit model with a tokenizer")
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--formats", default="nf4,nf4-dq,int8")
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--max-tokens", type=int, default=0)
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32", help="what both compute in; default: %(default)s")
    parser.add_argument("--tolerance", type=float, default=0.005, help="relative; default: %(default)s")
    parser.add_argument("--int8-tolerance", type=float, default=0.1, help="of int8, whose figures turn on the order of sums; default: %(default)s")
    parser.add_argument("--exact-codes", action="store_true", help="replace the 4-bit codes of bitsandbytes' CPU backend by those of CUDA")
    parser.add_argument("--cli", default="npm run -s cli --", help="command that runs Nibble; default: %(default)s")
    args = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    import contextlib
    import logging

    import torch
    from golden import quality
    from golden.quantized_models import exact_codes
    from interop import Nibble

    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # one line per int8 layer and window
    text, formats = args.text.read_text(encoding="utf-8"), args.formats.split(",")
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[args.dtype]
    with exact_codes() if args.exact_codes else contextlib.nullcontext():
        theirs = quality.measure(args.model, text, formats, dtype, args.window, args.max_tokens)
    limit = ("--max-tokens", args.max_tokens) if args.max_tokens else ()
    ours = Nibble(args.cli).run("eval", args.model.resolve(), "--text", args.text.resolve(), "--window", args.window, *limit,
                                "--quantize", args.formats, "--compute-dtype", args.dtype)
    problems = list(quality.differences(ours, theirs, args.tolerance, args.int8_tolerance))
    print("\n".join(problems) if problems else f"{ours['tokens']} tokens: the figures agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
