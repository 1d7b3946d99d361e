"""What every golden generator shares: hashes, the seeded number streams and small writers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

# Every random stream of the generators starts from this number (recorded in the manifest).
SEED = 20240


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fnv1a64(data: bytes) -> int:
    """FNV-1a, 64 bits, over the bytes: a hash that a native test can compute in three lines."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def lcg_values(n: int) -> np.ndarray:
    """n fp32 values in [-1, 1): s = 1664525 s + 1013904223 mod 2^32 from s = 1, value = (int32(s) >> 8) * 2^-23."""
    states = np.empty(n, np.uint32)
    state = 1
    for i in range(n):
        state = (1664525 * state + 1013904223) & 0xFFFFFFFF
        states[i] = state
    return (states.view(np.int32) >> 8).astype(np.float32) * np.float32(2.0**-23)


def bf16_bits(values: np.ndarray) -> np.ndarray:
    """fp32 -> bf16 bits (uint16), round to nearest even; NaN stays a quiet NaN of the same sign."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    quiet_nan = ((bits >> 16) | 0x40).astype(np.uint16)
    return np.where(np.isnan(values), quiet_nan, rounded)


def fp16_bits(values: np.ndarray) -> np.ndarray:
    """fp32 -> fp16 bits (uint16), round to nearest even; too large becomes infinity."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, np.float32).astype(np.float16).view(np.uint16)


def write_json(path: Path, value: Any, indent: int | None = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")
