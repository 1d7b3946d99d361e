"""The weight formats in exact arithmetic, in numpy: NF4, FP4, 8-bit maps, double quantization, int8 rows.

This is the rule that bitsandbytes' CUDA kernels follow, computed with IEEE division. bitsandbytes' own CPU backend
differs from it in three places, which is why its output is not simply recorded: its 8-bit quantizer goes through a
65536-entry table and maps 0 to code 131, its FP4 quantizer gives tiny values the zero code of the other sign and ties
of some values the other neighbour, and its short last block divides instead of multiplying by the reciprocal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

F32 = np.float32
NESTED_BLOCK = 256
SMALLEST_DIVISOR = F32(1e-38)


def _from_bits(words: str) -> np.ndarray:
    return np.array([int(word, 16) for word in words.split()], np.uint32).view(F32)


NF4_CODE = _from_bits(
    "bf800000 bf3239b1 bf066b30 beca32a0 be91a24d be3d353f bdba7871 00000000 "
    "3da2faff 3e24cae3 3e7c04dd 3ead033a 3ee1a4b8 3f1007ab 3f3913b3 3f800000"
)
NF4_THRESHOLDS = ((NF4_CODE[1:] + NF4_CODE[:-1]) * F32(0.5)).astype(F32)

FP4_MAGNITUDES = _from_bits("00000000 3baaaaab 3f2aaaab 3f800000 3eaaaaab 3f000000 3e2aaaab 3e800000")
FP4_CODE = np.concatenate([FP4_MAGNITUDES, np.where(FP4_MAGNITUDES > 0, -FP4_MAGNITUDES, F32(0))])
FP4_THRESHOLDS = _from_bits("3b2aaab9 3db00000 3e555555 3e955555 3ed55556 3f155550 3f555555")
FP4_CODE_BY_MAGNITUDE = np.array([0, 1, 6, 7, 4, 5, 2, 3], np.uint8)

CODES = {"nf4": NF4_CODE, "fp4": FP4_CODE}


def encode_nf4(x: np.ndarray) -> np.ndarray:
    """Code = how many thresholds lie strictly below x."""
    return np.searchsorted(NF4_THRESHOLDS, x, side="left").astype(np.uint8)


def encode_fp4(x: np.ndarray) -> np.ndarray:
    """Sign bit when x < 0, then the magnitude by strict thresholds."""
    magnitude = FP4_CODE_BY_MAGNITUDE[np.searchsorted(FP4_THRESHOLDS, np.abs(x), side="left")]
    return magnitude | np.where(x < 0, 8, 0).astype(np.uint8)


ENCODERS = {"nf4": encode_nf4, "fp4": encode_fp4}


def _blocks(values: np.ndarray, block_size: int) -> np.ndarray:
    """[n] -> [blocks, block_size]; a short last block is filled with zeros, which change neither maximum nor codes."""
    padded = np.zeros(-(-values.size // block_size) * block_size, F32)
    padded[: values.size] = values.ravel()
    return padded.reshape(-1, block_size)


def _normalized(values: np.ndarray, block_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns (w * (1 / absmax) as [n], absmax [blocks]); an all-zero block stays zero.

    No divisor is smaller than 1e-38 (the bound of bitsandbytes' "default" backend), so that its reciprocal is finite.
    """
    blocks = _blocks(values, block_size)
    absmax = np.abs(blocks).max(axis=1)
    reciprocal = F32(1) / np.maximum(absmax, SMALLEST_DIVISOR)
    return (blocks * reciprocal[:, None]).ravel()[: values.size], absmax


def encode_4bit(values: np.ndarray, block_size: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns (packed uint8 [ceil(n/2)], absmax fp32 [ceil(n/block)]). Element 2i lies in the high nibble."""
    x, absmax = _normalized(values, block_size)
    codes = ENCODERS[kind](np.append(x, F32(0)) if x.size % 2 else x)
    return (codes[0::2] << 4 | codes[1::2]).astype(np.uint8), absmax


def decode_4bit(packed: np.ndarray, absmax: np.ndarray, n: int, block_size: int, kind: str) -> np.ndarray:
    """Code value times absmax, one fp32 rounding; [n]."""
    codes = np.stack([packed >> 4, packed & 15], axis=-1).ravel()[:n]
    return CODES[kind][codes] * np.repeat(absmax, block_size)[:n]


def _linspace_tenth_to_one(m: int) -> np.ndarray:
    """m points from 0.1 to 1 in fp32, as torch computes them: each half from its own end, one rounding per point.

    The doubles below hold the product of two fp32 numbers exactly, so rounding their sum once gives what a fused
    multiply-add gives.
    """
    start, step = F32(0.1), (F32(1) - F32(0.1)) / F32(m - 1)
    i = np.arange(m)
    low = np.float64(step) * i + np.float64(start)
    high = 1.0 - np.float64(step) * (m - 1 - i)
    return np.where(i < m // 2, low, high).astype(F32)


def dynamic_map(signed: bool) -> np.ndarray:
    """The 256 values of the dynamic 8-bit data type, ascending, fp32."""
    values = [F32(0), F32(1)]
    for i in range(7):
        boundaries = _linspace_tenth_to_one(2**i + 1 if signed else 2 ** (i + 1) + 1)
        means = ((boundaries[:-1] + boundaries[1:]) / F32(2)).astype(F32)
        scaled = (means * F32(10.0 ** (i - 6))).astype(F32)
        values += [*scaled, *(-scaled if signed else [])]
    return np.sort(np.array(values, F32))


DYNAMIC_SIGNED = dynamic_map(signed=True)
DYNAMIC_UNSIGNED = dynamic_map(signed=False)


def encode_8bit(values: np.ndarray, block_size: int, code: np.ndarray = DYNAMIC_SIGNED) -> tuple[np.ndarray, np.ndarray]:
    """Returns (codes uint8 [n], absmax fp32): the nearest value of the map, an exact tie goes to the even index.

    The middle of the two neighbours of x decides. Of equal values the first counts as the upper neighbour, as in the
    binary search of the CUDA kernel.
    """
    x, absmax = _normalized(values, block_size)
    above = np.clip(np.searchsorted(code, x, side="left"), 1, 255)
    middle = ((code[above - 1] + code[above]) * F32(0.5)).astype(F32)
    takes_above = (x > middle) | ((x == middle) & (above % 2 == 0))
    return np.where(takes_above, above, above - 1).astype(np.uint8), absmax


def decode_8bit(codes: np.ndarray, absmax: np.ndarray, block_size: int, code: np.ndarray = DYNAMIC_SIGNED) -> np.ndarray:
    """Map value times absmax, one fp32 rounding; [n]."""
    return code[codes] * np.repeat(absmax, block_size)[: codes.size]


def torch_mean(values: np.ndarray) -> np.float32:
    """The fp32 mean as torch computes it on one thread of a CPU; with more threads its last bit may differ from 32768 values on."""
    torch.set_num_threads(1)
    return F32(torch.from_numpy(np.ascontiguousarray(values)).mean().item())


@dataclass
class Nested:
    """The scales of a tensor, quantized once more."""

    codes: np.ndarray  # uint8 [blocks]
    absmax: np.ndarray  # fp32 [ceil(blocks/256)]
    offset: np.float32

    def decode(self) -> np.ndarray:
        """map[code] * absmax2 + offset; product and sum are rounded separately."""
        scales = np.repeat(self.absmax, NESTED_BLOCK)[: self.codes.size]
        return DYNAMIC_SIGNED[self.codes] * scales + self.offset


def encode_absmax(absmax: np.ndarray) -> Nested:
    """The offset is the mean as torch computes it, so that files agree."""
    offset = torch_mean(absmax)
    codes, absmax2 = encode_8bit(absmax - offset, NESTED_BLOCK)
    return Nested(codes, absmax2, offset)


def encode_int8_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W [N,K] -> (codes int8 [N,K], row absmax fp32 [N]). The weights go through fp16 first; rounding is half to even.

    127 times the reciprocal, as torch divides a number by a tensor in bitsandbytes' CPU backend: half a row's largest value is not always a tie then.
    """
    rows = weights.astype(np.float16).astype(F32)
    absmax = np.abs(rows).max(axis=1)
    scale = F32(127) * np.divide(F32(1), absmax, out=np.zeros_like(absmax), where=absmax > 0)
    return np.rint(rows * scale[:, None]).astype(np.int8), absmax


def decode_int8_rows(codes: np.ndarray, absmax: np.ndarray) -> np.ndarray:
    """code * absmax / 127, in double and rounded once to fp32; [N,K]."""
    return (codes.astype(np.float64) * absmax.astype(np.float64)[:, None] / 127.0).astype(F32)
