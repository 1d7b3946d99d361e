"""Golden results of one model: logits, margins and a greedy continuation, in fp32, for each weight format."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .blockwise import decode_4bit, decode_int8_rows, encode_4bit, encode_absmax, encode_int8_rows

BLOCK = 64
QUANTIZED_FORMATS = ("nf4", "nf4-dq", "fp4", "int8")


def round_trip(weight: np.ndarray, format_name: str) -> np.ndarray:
    """W [N,K] encoded and decoded exactly in fp32: what a kernel multiplies by, without a rounding to 16 bits."""
    if format_name == "int8":
        return decode_int8_rows(*encode_int8_rows(weight))
    kind, _, nested = format_name.partition("-")
    packed, absmax = encode_4bit(weight, BLOCK, kind)
    if nested:
        absmax = encode_absmax(absmax).decode()
    return decode_4bit(packed, absmax, weight.size, BLOCK, kind).reshape(weight.shape)


def quantized_copy(model: nn.Module, format_name: str) -> nn.Module:
    """The model in fp32 with every linear layer but the output head replaced by its round trip, as transformers does."""
    copy = type(model)(model.config).to(torch.float32).eval()
    copy.load_state_dict(model.state_dict())
    for name, module in copy.named_modules():
        if isinstance(module, nn.Linear) and name != "lm_head":
            module.weight.data = torch.from_numpy(round_trip(module.weight.detach().numpy(), format_name))
    return copy


@torch.no_grad()
def logits(model: nn.Module, tokens: list[int]) -> np.ndarray:
    """[T,V] fp32, one pass over all tokens."""
    return model(torch.tensor([tokens]), use_cache=False).logits[0].float().numpy()


@torch.no_grad()
def greedy(model: nn.Module, tokens: list[int], count: int) -> tuple[list[int], float]:
    """The most likely continuation and the smallest lead that its tokens had over the second best, in logits.

    No cache: each step is a full pass, so this also checks a cached engine against an uncached one.
    """
    out, lead = list(tokens), float("inf")
    for _ in range(count):
        last = logits(model, out)[-1]
        best, second = np.argsort(last)[::-1][:2]
        lead = min(lead, float(last[best] - last[second]))
        out.append(int(best))
    return out[len(tokens) :], lead
