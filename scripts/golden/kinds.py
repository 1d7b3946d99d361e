"""Tiny random models of kinds that hold their layers in different ways, for scripts/interop.py: what transformers computes from a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import (
    BitsAndBytesConfig, GPT2Config, GPT2LMHeadModel, GptOssConfig, GptOssForCausalLM, LlavaConfig, LlavaForConditionalGeneration,
    MixtralConfig, MixtralForCausalLM, PreTrainedConfig, PreTrainedModel, Qwen2MoeConfig, Qwen2MoeForCausalLM, T5Config,
    T5ForConditionalGeneration,
)

from .common import SEED

TEXT = dict(vocab_size=128, hidden_size=64, intermediate_size=128, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=64)
# bitsandbytes' CPU kernels run only rows that are a multiple of the block: every width here is one of 64.
VISION = dict(model_type="siglip_vision_model", hidden_size=64, intermediate_size=128, num_hidden_layers=1, num_attention_heads=4,
              image_size=16, patch_size=8)


def _llava() -> PreTrainedConfig:
    return LlavaConfig(vision_config=VISION, text_config=dict(model_type="llama", **TEXT), image_token_index=127, vision_feature_layer=-1,
                       vision_feature_select_strategy="full", image_seq_length=4)


@dataclass(frozen=True)
class Kind:
    model: type[PreTrainedModel]
    config: Callable[[], PreTrainedConfig]
    inputs: dict[str, Any]


IDS = torch.tensor([[3, 17, 42, 8, 99, 3, 61, 5]])
KINDS = {
    # Conv1D: weights [in, out] in the file, [out, in] when quantized.
    "gpt2": Kind(GPT2LMHeadModel, lambda: GPT2Config(vocab_size=128, n_positions=64, n_embd=64, n_layer=1, n_head=4), {"input_ids": IDS}),
    # An encoder and a decoder; `wo` is kept in full precision.
    "t5": Kind(T5ForConditionalGeneration,
               lambda: T5Config(vocab_size=128, d_model=64, d_kv=16, d_ff=128, num_layers=1, num_heads=4, tie_word_embeddings=False),
               {"input_ids": IDS, "decoder_input_ids": IDS[:, :4]}),
    # Experts by themselves in the file, in one parameter in memory.
    "mixtral": Kind(MixtralForCausalLM, lambda: MixtralConfig(**TEXT, num_local_experts=4, num_experts_per_tok=2), {"input_ids": IDS}),
    # The same, with a shared expert and its gate, a linear layer of one row.
    "qwen2-moe": Kind(Qwen2MoeForCausalLM,
                      lambda: Qwen2MoeConfig(**TEXT, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=64,
                                             shared_expert_intermediate_size=64), {"input_ids": IDS}),
    # Experts in one parameter in the file too, transposed.
    "gpt-oss": Kind(GptOssForCausalLM,
                    lambda: GptOssConfig(**{**TEXT, "head_dim": 16}, num_local_experts=4, num_experts_per_tok=2,
                                         layer_types=["sliding_attention"]), {"input_ids": IDS}),
    # Vision and language.
    "llava": Kind(LlavaForConditionalGeneration, _llava,
                  {"input_ids": torch.tensor([[3, 127, 127, 127, 127, 8, 99, 5]]),
                   "pixel_values": torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)}),
}


def save(name: str, folder: Path) -> None:
    kind = KINDS[name]
    generator = torch.Generator().manual_seed(SEED + list(KINDS).index(name))
    model = kind.model(kind.config()).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.1 * noise if parameter.ndim == 1 and key.endswith("weight") else noise * 0.2)
    model.to(torch.bfloat16).save_pretrained(folder)


def quantize(name: str, source: Path, out: Path, config: BitsAndBytesConfig) -> None:
    """As a user of transformers does it."""
    model = KINDS[name].model.from_pretrained(source, quantization_config=config, dtype=torch.bfloat16, device_map="cpu")
    model.save_pretrained(out)


@torch.no_grad()
def logits(name: str, folder: Path) -> np.ndarray:
    """What transformers computes from a folder, in one forward pass."""
    kind = KINDS[name]
    model = kind.model.from_pretrained(folder, device_map="cpu").eval()
    inputs = {key: value.to(model.dtype) if value.is_floating_point() else value for key, value in kind.inputs.items()}
    return model(**inputs).logits[0].float().numpy()


def n_quantized(name: str, folder: Path) -> int:
    """Quantized layers of the loaded model."""
    model = KINDS[name].model.from_pretrained(folder, device_map="cpu")
    return sum(type(module).__name__ in ("Linear4bit", "Linear8bitLt") for module in model.modules() if isinstance(module, nn.Linear))
