"""What one tiny model of an architecture is made of. A family file holds RECIPES: {fixture name: Recipe}."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

# Rows of 32 and 48: blocks of 64 cross the ends of rows.
TINY = dict(vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=128)


@dataclass(frozen=True)
class Recipe:
    model: type[PreTrainedModel]
    config: type[PretrainedConfig]
    # Whole, TINY included where its names fit: GPT-2 calls them otherwise.
    fields: dict[str, Any]
    dtype: str = "bfloat16"
    # Longer than any sliding window of the fields.
    n_tokens: int = 40
    n_shards: int = 1
    # False: with the names and the fused experts that the modules have, instead of those that checkpoints are published with.
    has_published_names: bool = True
    # Around which the weights of norms lie; 0 where the model adds 1 itself.
    norm_center: float = 1.0
    formats: tuple[str, ...] = ("nf4", "nf4-dq", "fp4", "int8")
    # Called with the model in fp32 after its parameters are drawn: buffers, parameters that need other sizes.
    adjust: Callable[[nn.Module, torch.Generator], None] | None = None
    # Called with the saved folder: what published checkpoints have otherwise (names, fused tensors, old config.json).
    rewrite: Callable[[Any], None] | None = None
