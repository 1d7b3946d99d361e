"""The Python side of scripts/interop.py: what transformers + bitsandbytes make of a model folder, on a CPU."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bitsandbytes as bnb
import numpy as np
import torch
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from . import decoder
from .blockwise import Nested, decode_4bit, decode_int8_rows
from .failure import Failure
from .quantized_models import quantization_config

transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # one line per int8 layer and token

# FP4 codes by the rank of their value, -7 (code 11) to 7 (code 3); both zeros have rank 0.
FP4_RANK = torch.tensor([0, 1, 6, 7, 4, 5, 2, 3, 0, -1, -6, -7, -4, -5, -2, -3])


@dataclass
class Reference:
    """One quantized folder, one question."""

    prompt: list[int]
    answer: list[int]  # greedy, as transformers + bitsandbytes give it, without the end token
    text: str
    end_token: int
    exact: np.ndarray  # logits [T,V] of prompt + answer: weights decoded exactly, all arithmetic in fp32
    user: np.ndarray  # the same as transformers + bitsandbytes compute them


def _decoded(module: nn.Module) -> np.ndarray:
    """The weight of a bitsandbytes layer, [N,K] fp32. Before the first forward pass, which may repack it in place."""
    if isinstance(module, bnb.nn.Linear8bitLt):
        return decode_int8_rows(module.weight.CB.numpy(), module.weight.SCB.float().numpy())
    state = module.weight.quant_state
    absmax = state.absmax.numpy()
    if state.nested:
        absmax = Nested(absmax, state.state2.absmax.numpy(), np.float32(state.offset)).decode()
    n, k = state.shape
    return decode_4bit(module.weight.numpy().ravel(), absmax, n * k, state.blocksize, state.quant_type).reshape(n, k)


def exact_copy(model: PreTrainedModel) -> PreTrainedModel:
    """The same model without bitsandbytes, in fp32."""
    linear = (bnb.nn.Linear4bit, bnb.nn.Linear8bitLt)
    quantized = {f"{name}.weight": module for name, module in model.named_modules() if isinstance(module, linear)}
    config = type(model.config).from_dict({k: v for k, v in model.config.to_dict().items() if k != "quantization_config"})
    copy = type(model)(config).to(torch.float32).eval()
    state = {key: tensor.float() for key, tensor in model.state_dict().items() if key in copy.state_dict()}
    state |= {key: torch.from_numpy(_decoded(module)) for key, module in quantized.items()}
    copy.load_state_dict(state)
    return copy


def check_rows(model: PreTrainedModel) -> None:
    """bitsandbytes' CPU kernels find the scale of a row wrongly, or fail, when blocks cross the ends of rows."""
    for name, module in model.named_modules():
        if isinstance(module, bnb.nn.Linear4bit):
            block_size, n_cols = module.weight.quant_state.blocksize, module.weight.quant_state.shape[1]
            if n_cols % block_size:
                raise Failure(f"bitsandbytes cannot run {name} on a CPU: rows of {n_cols} are not a multiple of the block of {block_size}")


@torch.no_grad()
def reference(folder: Path, question: str, count: int) -> Reference:
    """Loads a quantized folder as its user would, answers, and compares with exact arithmetic."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, device_map="cpu").eval()
    check_rows(model)
    exact = exact_copy(model)
    text = tokenizer.apply_chat_template([{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True)
    prompt = tokenizer.encode(text, add_special_tokens=False)
    ids = torch.tensor([prompt])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=count,
                         pad_token_id=tokenizer.eos_token_id)[0].tolist()[len(prompt):]
    answer = out[: out.index(tokenizer.eos_token_id)] if tokenizer.eos_token_id in out else out
    tokens = prompt + answer
    return Reference(prompt, answer, tokenizer.decode(answer, skip_special_tokens=True), tokenizer.eos_token_id,
                     decoder.logits(exact, tokens), decoder.logits(model, tokens))


def quantize(source: Path, out: Path, format_name: str) -> None:
    """What a user of transformers does to get the folder."""
    model = AutoModelForCausalLM.from_pretrained(source, quantization_config=quantization_config(format_name),
                                                 dtype=torch.bfloat16, device_map="cpu")
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(source).save_pretrained(out)


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            tensors |= {key: file.get_tensor(key) for key in file.keys()}
    return tensors


def _state_difference(ours: torch.Tensor, theirs: torch.Tensor) -> str | None:
    """The packed JSON must be the same text but for the last digits of the offset (a mean, summed in another order)."""
    a, b = (bytes(t.tolist()).decode() for t in (ours, theirs))
    a_offset, b_offset = (json.loads(t).get("nested_offset", 0.0) for t in (a, b))
    if abs(a_offset - b_offset) > 1e-6 * abs(b_offset):
        return f"nested_offset {a_offset} instead of {b_offset}"
    return None if a.replace(json.dumps(a_offset), "") == b.replace(json.dumps(b_offset), "") else f"{a} instead of {b}"


def _code_difference(name: str, ours: torch.Tensor, theirs: torch.Tensor, is_fp4: bool) -> str | None:
    """Codes may differ only where bitsandbytes' CPU backend is known to differ from its CUDA kernels."""
    if torch.equal(ours, theirs):
        return None
    share = float((ours != theirs).float().mean())
    if name.endswith(".absmax") and theirs.dtype == torch.uint8:  # its 8-bit quantizer goes through a table
        steps, count = int((ours.int() - theirs.int()).abs().max()), int((ours != theirs).sum())
        is_known = steps <= 3 and (share <= 0.02 or count <= 2)
        return None if is_known else f"{share:.2%} of the nested codes differ, by up to {steps}"
    if name.endswith(".nested_absmax"):  # follows the offset
        return None if torch.allclose(ours, theirs, rtol=1e-4) else "nested_absmax differs"
    if is_fp4:  # it takes the other zero for tiny values, and the other neighbour for ties, which bf16 weights often are
        ranks = [torch.stack([FP4_RANK[(codes >> 4).long()], FP4_RANK[(codes & 15).long()]]) for codes in (ours, theirs)]
        different = (ranks[0] - ranks[1]).abs()
        is_known = int(different.max()) <= 1 and float((different > 0).float().mean()) <= 0.03
        return None if is_known else f"{share:.2%} of the bytes differ, by up to {int(different.max())} values"
    return f"{share:.2%} of the elements differ"


def folder_differences(ours: Path, theirs: Path, is_exact: bool = False) -> Iterator[str]:
    """Every way in which a folder of ours is not what transformers would have written.

    is_exact: `theirs` was written within exact_codes(), so that nothing is excused.
    """
    mine, other = _tensors(ours), _tensors(theirs)
    yield from (f"{name}: missing" for name in sorted(other.keys() - mine.keys()))
    yield from (f"{name}: not written by transformers" for name in sorted(mine.keys() - other.keys()))
    for name in sorted(mine.keys() & other.keys()):
        a, b = mine[name], other[name]
        if a.dtype != b.dtype or a.shape != b.shape:
            yield f"{name}: {a.dtype} {list(a.shape)} instead of {b.dtype} {list(b.shape)}"
        elif "quant_state" in name:
            if difference := _state_difference(a, b):
                yield f"{name}: {difference}"
        elif is_exact:
            if not torch.equal(a, b):
                yield f"{name}: {float((a != b).float().mean()):.2%} of the elements differ"
        elif difference := _code_difference(name, a, b, f"{name}.quant_state.bitsandbytes__fp4" in other):
            yield f"{name}: {difference}"
    configs = [json.loads((folder / "config.json").read_text()) for folder in (ours, theirs)]
    for key in sorted(configs[0].keys() | configs[1].keys()):
        if configs[0].get(key) != configs[1].get(key):
            yield f"config.json, {key}: {configs[0].get(key)} instead of {configs[1].get(key)}"
