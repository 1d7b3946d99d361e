"""gpt-oss in 16 bits and with its experts in MXFP4, as it is published."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import GptOssConfig, GptOssForCausalLM

from .recipe import TINY, Recipe

FIELDS = dict(**{**TINY, "hidden_size": 64, "intermediate_size": 32}, num_key_value_heads=2, head_dim=16, num_local_experts=4,
              num_experts_per_tok=2, sliding_window=16, swiglu_limit=2.0, tie_word_embeddings=False)
E2M1 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6])


def encode(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """[experts, in, out] -> codes uint8 [experts, out, in / 32, 16], the lower nibble first, and exponents uint8 [experts, out, in / 32]."""
    blocks = weight.transpose(1, 2).unflatten(-1, (-1, 32))
    exponent = torch.floor(torch.log2(blocks.abs().amax(-1))) - 2
    codes = (blocks[..., None] / torch.exp2(exponent)[..., None, None] - E2M1).abs().argmin(-1).to(torch.uint8)
    return codes[..., 0::2] | codes[..., 1::2] << 4, (exponent + 127).to(torch.uint8)


def decode(codes: torch.Tensor, exponents: torch.Tensor) -> torch.Tensor:
    values = E2M1[torch.stack([codes & 15, codes >> 4], -1).flatten(-2).long()]
    return (values * torch.exp2(exponents.float() - 127)[..., None]).flatten(-2).transpose(1, 2).contiguous()


def round_experts(model: nn.Module, _: torch.Generator) -> None:
    for name, parameter in model.named_parameters():
        if name.endswith(("gate_up_proj", "down_proj")):
            parameter.copy_(decode(*encode(parameter)))


def store_mxfp4(folder: Path) -> None:
    """The experts as openai/gpt-oss-20b has them, and what transformers makes of that must be what they were."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    stored = {}
    for name, tensor in tensors.items():
        if name.endswith(("gate_up_proj", "down_proj")):
            stored[f"{name}_blocks"], stored[f"{name}_scales"] = encode(tensor.float())
        else:
            stored[name] = tensor
    save_file(stored, path, metadata={"format": "pt"})
    config_path = folder / "config.json"
    config = json.loads(config_path.read_text())
    config["quantization_config"] = {
        "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"],
        "quant_method": "mxfp4",
    }
    config_path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    loaded = dict(GptOssForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).named_parameters())
    for name, tensor in tensors.items():
        if not torch.equal(loaded[name].to(tensor.dtype), tensor):
            raise AssertionError(f"{name}: transformers reads something else from MXFP4")


def split_experts(folder: Path) -> None:
    """A linear layer for each expert, as in unsloth/gpt-oss-20b-unsloth-bnb-4bit."""
    path = folder / "model.safetensors"
    stored = {}
    for name, tensor in load_file(path).items():
        module, _, kind = name.rpartition(".")
        if module.endswith("experts"):
            for expert, part in enumerate(tensor):
                own = f"{module}.{kind.removesuffix('_bias')}s.{expert}"
                stored[f"{own}.bias" if kind.endswith("_bias") else f"{own}.weight"] = part if part.dim() == 1 else part.T.contiguous()
        else:
            stored[name.replace(".router.", ".router.linear.")] = tensor
    save_file(stored, path, metadata={"format": "pt"})


RECIPES = {
    "gpt-oss": Recipe(GptOssForCausalLM, GptOssConfig, FIELDS, n_shards=2),
    "gpt-oss-split": Recipe(GptOssForCausalLM, GptOssConfig, FIELDS, rewrite=split_experts),
    "gpt-oss-mxfp4": Recipe(GptOssForCausalLM, GptOssConfig, FIELDS, adjust=round_experts, rewrite=store_mxfp4),
}
