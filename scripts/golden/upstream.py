"""Compares the exact rule with the installed bitsandbytes: its "default" backend, which is plain PyTorch.

They must agree in every whole block, but for what docs/formats.md lists: FP4 codes of zero and ties of negative FP4 values,
and exact ties of 8-bit codes. A short last block is left out: the default backend divides there.
"""

from __future__ import annotations

import bitsandbytes  # noqa: F401  registers the operators
import numpy as np
import torch

from .blockwise import FP4_CODE, FP4_THRESHOLDS, F32

DEFAULT = torch._C.DispatchKey.CompositeExplicitAutograd
FP4_TIES = np.concatenate([FP4_THRESHOLDS, -FP4_THRESHOLDS])


def _default(name: str, *args: object) -> tuple[np.ndarray, np.ndarray]:
    codes, absmax = getattr(torch.ops.bitsandbytes, name).default._op_dk(DEFAULT, *args)
    return codes.numpy().ravel(), absmax.numpy()


def check_4bit(values: np.ndarray, dtype: torch.dtype, block_size: int, kind: str, packed: np.ndarray, absmax: np.ndarray) -> None:
    """values fp32 [n], exact in dtype, which is what bitsandbytes gets to see."""
    blocks = values.size // block_size
    n = blocks * block_size
    theirs, their_absmax = _default("quantize_4bit", torch.from_numpy(values[:n]).to(dtype), block_size, kind, torch.uint8)
    nibbles = [np.stack([p[: n // 2] >> 4, p[: n // 2] & 15], -1).ravel() for p in (packed, theirs)]
    different = nibbles[0] != nibbles[1]
    if kind == "fp4":
        x = values[:n] / np.repeat(their_absmax, block_size)
        is_near_tie = np.isclose(x[:, None], FP4_TIES, rtol=1e-5, atol=0).any(axis=1)
        different &= (FP4_CODE[nibbles[0]] != FP4_CODE[nibbles[1]]) & ~is_near_tie
    if different.any() or not np.array_equal(absmax[:blocks], their_absmax):
        raise AssertionError(f"{kind}, block {block_size}, {dtype}: bitsandbytes differs at {np.flatnonzero(different)[:5]}")


def check_8bit(values: np.ndarray, dtype: torch.dtype, block_size: int, code: np.ndarray, codes: np.ndarray, absmax: np.ndarray) -> None:
    blocks = values.size // block_size
    n = blocks * block_size
    theirs, their_absmax = _default("quantize_blockwise", torch.from_numpy(values[:n]).to(dtype), torch.from_numpy(code), block_size)
    different = codes[:n] != theirs
    # A tie: their code is one lower, and x is the middle. Equal values of a map (its zeros) stand for the same.
    lower = np.minimum(theirs, 254)
    x = (values[:n].reshape(blocks, block_size) * (F32(1) / np.maximum(their_absmax, F32(1e-38)))[:, None]).ravel()
    is_tie = (codes[:n] == theirs + 1) & (x == ((code[lower] + code[lower + 1]) * F32(0.5)).astype(F32))
    different &= ~is_tie & (code[codes[:n]] != code[theirs])
    if different.any() or not np.array_equal(absmax[:blocks], their_absmax):
        raise AssertionError(f"8-bit, block {block_size}, {dtype}: bitsandbytes differs at {np.flatnonzero(different)[:5]}")
