"""kinds.gguf: one tensor per block type of GGUF, with the values that it must decode to. Part of gguf_models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGUFWriter
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

from .common import SEED

NOTE = (
    "test/fixtures/models/gguf/kinds.gguf: a tensor [n,256] per block type, Q2_K [3,2,256]; test/golden/gguf/kinds.safetensors: "
    "decoded by the gguf package, fp32. Plain types, Q4 to Q8 were quantized from normal values; the others are random bytes "
    "with scales like those of weights, in which each point of the grids of IQ1_S, IQ2 and IQ3 stands once."
)

LEGACY = (Type.F32, Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0)
# Where a block has its fp16 scales.
SCALES = {
    Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,), Type.Q2_K: (80, 82), Type.Q3_K: (108,), Type.IQ1_S: (0,), Type.IQ1_M: (),
    Type.IQ2_XXS: (0,), Type.IQ2_XS: (0,), Type.IQ2_S: (0,), Type.IQ3_XXS: (0,), Type.IQ3_S: (0,), Type.IQ4_NL: (0,),
    Type.IQ4_XS: (0,), Type.MXFP4: (), Type.NVFP4: (), Type.TQ1_0: (52,), Type.TQ2_0: (64,),
}
# Points of a grid, and how many a block names.
GRIDS = {Type.IQ1_S: (2048, 32), Type.IQ2_XXS: (256, 32), Type.IQ2_XS: (512, 32), Type.IQ2_S: (1024, 32),
         Type.IQ3_XXS: (256, 64), Type.IQ3_S: (512, 64)}


def set_scales(kind: Type, blocks: np.ndarray, rng: np.random.Generator, largest: float = 0.02) -> None:
    """blocks [n, bytes of a block]."""
    n = len(blocks)

    def scales() -> np.ndarray:
        return (rng.uniform(0.05, 1, (n, 1)) * rng.choice((-1, 1), (n, 1)) * largest).astype(np.float16)

    for offset in SCALES[kind]:
        blocks[:, offset : offset + 2] = scales().view(np.uint8)
    if kind == Type.IQ1_M:  # four bits of it on top of each of the last four words
        words = blocks[:, 48:56].view(np.uint16)
        words[:] = words & 0xFFF | (scales().view(np.uint16) >> np.array([0, 4, 8, 12]) & 15) << 12
    if kind == Type.MXFP4:  # an exponent; the two smallest are subnormal
        blocks[:, 0] = rng.integers(110, 128, n)
        blocks[:2, 0] = 0, 1
    if kind == Type.NVFP4:
        blocks[0, :4] = 0, 0x7F, 1, 8


def set_points(kind: Type, blocks: np.ndarray, points: np.ndarray) -> None:
    """blocks [n, bytes of a block], points [n, points of a block]."""
    n = len(blocks)
    low, high = points & 255, points >> 8
    if kind == Type.IQ2_XXS:
        for group in range(8):
            blocks[:, 2 + group * 8 : 6 + group * 8] = points[:, group * 4 : group * 4 + 4]
    elif kind == Type.IQ2_XS:
        words = blocks[:, 2:66].view(np.uint16)
        words[:] = words & 0xFE00 | points
    elif kind == Type.IQ2_S:
        blocks[:, 2:34] = low
        blocks[:, 66:74] = (high.reshape(n, 8, 4) << np.array([0, 2, 4, 6])).sum(-1)
    elif kind == Type.IQ1_S:
        blocks[:, 2:34] = low
        words = blocks[:, 34:50].view(np.uint16)
        words[:] = words & 0xF000 | (high.reshape(n, 8, 4) << np.array([0, 3, 6, 9])).sum(-1)
    else:
        blocks[:, 2:66] = low
        if kind == Type.IQ3_S:
            blocks[:, 66:74] = np.packbits(high, axis=-1, bitorder="little")


def random_data(kind: Type, rng: np.random.Generator) -> np.ndarray:
    """Rows of 256 values as bytes."""
    n_values, n_bytes = GGML_QUANT_SIZES[kind]
    n_points, per_block = GRIDS.get(kind, (0, 1))
    n_rows = max(2, n_points // per_block)
    blocks = rng.integers(0, 256, (n_rows * 256 // n_values, n_bytes), dtype=np.uint8)
    set_scales(kind, blocks, rng)
    if n_points:
        set_points(kind, blocks, rng.permutation(n_points).reshape(n_rows, per_block))
    return blocks.reshape(n_rows, -1)


def random_weight(kind: Type, shape: tuple[int, ...], deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Bytes of a matrix [rows, columns] of random blocks whose values have about this standard deviation."""
    n_values, n_bytes = GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (shape[0] * shape[1] // n_values, n_bytes), dtype=np.uint8)
    set_scales(kind, blocks, rng, 1)
    set_scales(kind, blocks, rng, deviation / float(dequantize(blocks, kind).std()))
    return blocks.reshape(shape[0], -1)


def write(golden: Path, models: Path) -> None:
    rng = np.random.default_rng(SEED)
    writer = GGUFWriter(models / "gguf" / "kinds.gguf", "llama")
    decoded = {}
    for kind in LEGACY:
        values = rng.standard_normal((2, 256)).astype(np.float32)
        values[1, 32:64] = 0  # a block whose scale is zero
        values[1, 64:96] *= 1000
        data = quantize(values, kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        decoded[kind.name] = dequantize(data, kind).astype(np.float32).reshape(2, 256)
    for kind in SCALES:
        data = random_data(kind, rng)
        if kind == Type.Q2_K:
            data = np.concatenate([data, random_data(kind, rng), random_data(kind, rng)]).reshape(3, 2, -1)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        decoded[kind.name] = dequantize(data, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(decoded, golden / "gguf" / "kinds.safetensors")
