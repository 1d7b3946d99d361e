"""Gemma 1 to 3. fp32: in 16 bits the models round the scale of their embeddings, which the golden arithmetic in fp32 does not."""

import json
from pathlib import Path

from safetensors.torch import load_file, save_file
from transformers import (
    Gemma2Config, Gemma2ForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, GemmaConfig, GemmaForCausalLM,
)

from .recipe import TINY, Recipe

COMMON = dict(**TINY, num_key_value_heads=2, head_dim=16)

GEMMA3 = dict(
    **{**COMMON, "num_hidden_layers": 3}, query_pre_attn_scalar=20, sliding_window=16,
    layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    rope_parameters=dict(sliding_attention=dict(rope_type="default", rope_theta=10000.0),
                         full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0)))


def within_a_model_that_sees(folder: Path) -> None:
    """As the published Gemma 3 of 4B and more: names of the language model within, an old configuration within the whole one."""
    tensors = load_file(folder / "model.safetensors")
    renamed = {f"language_model.{key}": tensor for key, tensor in tensors.items()}
    renamed["vision_tower.vision_model.post_layernorm.weight"] = tensors["model.norm.weight"].clone()
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
    path = folder / "config.json"
    text = json.loads(path.read_text())
    rope = text.pop("rope_parameters")
    text |= {"rope_theta": rope["full_attention"]["rope_theta"], "rope_local_base_freq": rope["sliding_attention"]["rope_theta"],
             "rope_scaling": {"rope_type": "linear", "factor": rope["full_attention"]["factor"]}}
    dtype = text.pop("dtype")
    del text["architectures"]
    whole = {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "torch_dtype": dtype, "text_config": text,
             "vision_config": {"model_type": "siglip_vision_model"}}
    path.write_text(json.dumps(whole, indent=2, sort_keys=True) + "\n")


RECIPES = {
    "gemma": Recipe(GemmaForCausalLM, GemmaConfig, dict(**COMMON), dtype="float32", norm_center=0.0),
    # Small caps, so that they bend what they cap.
    "gemma2": Recipe(Gemma2ForCausalLM, Gemma2Config, dict(
        **COMMON, query_pre_attn_scalar=20, sliding_window=16, attn_logit_softcapping=5.0, final_logit_softcapping=3.0),
        dtype="float32", norm_center=0.0),
    "gemma3": Recipe(Gemma3ForCausalLM, Gemma3TextConfig, GEMMA3, dtype="float32", norm_center=0.0),
    "gemma3-with-vision": Recipe(Gemma3ForCausalLM, Gemma3TextConfig, GEMMA3, dtype="float32", norm_center=0.0,
                                 rewrite=within_a_model_that_sees),
}
