"""One GGUF file of each architecture that llama.cpp names (test/fixtures/gguf-architectures), and what it must compute."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter
from gguf.constants import MODEL_ARCH_NAMES
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file
from transformers import PreTrainedModel

from . import architectures, decoder
from .common import write_json
from .families.recipe import Recipe
from .gguf_models import permuted, restored

NOTES = [
    "test/fixtures/gguf-architectures: matrices in Q8_0 (F16 where rows are no whole blocks), vectors in F32, names by the gguf package's own map. Conventions of "
    "convert_hf_to_gguf: rows of q and k permuted for families of Llama's class, Gemma's norms 1 larger. No tokenizer. "
    "test/golden/gguf-architectures: as test/golden/gguf, with blocks decoded to fp16 and keys and values "
    "rounded to fp16, as the engine holds both.",
]


@dataclass(frozen=True)
class GgufRecipe:
    """`source`: a recipe of families; `fields` of its configuration that GGUF cannot hold are changed."""

    source: str
    architecture: str
    permutes: bool = False
    norm_offset: float = 0.0
    fields: dict[str, Any] = field(default_factory=dict)
    describe: Callable[[GGUFWriter, Any], None] = lambda writer, config: None
    factors: bool = False  # lists of longrope as tensors


def gemma2(writer: GGUFWriter, config: Any) -> None:
    writer.add_sliding_window(config.sliding_window)
    writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
    writer.add_final_logit_softcapping(config.final_logit_softcapping)


def gemma3(writer: GGUFWriter, config: Any) -> None:
    writer.add_sliding_window(config.sliding_window)
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(config.rope_parameters["full_attention"]["factor"])


def granite(writer: GGUFWriter, config: Any) -> None:
    writer.add_attention_scale(config.attention_multiplier)
    writer.add_embedding_scale(config.embedding_multiplier)
    writer.add_residual_scale(config.residual_multiplier)
    writer.add_logit_scale(config.logits_scaling)


def phi3(writer: GGUFWriter, config: Any) -> None:
    if config.sliding_window:
        writer.add_sliding_window(config.sliding_window)
    if config.rope_parameters["rope_type"] == "longrope":
        writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)


def cohere2(writer: GGUFWriter, config: Any) -> None:
    writer.add_logit_scale(config.logit_scale)
    writer.add_sliding_window(config.sliding_window)


SIX_LAYERS = dict(num_hidden_layers=6, layer_types=None)

RECIPES = {
    "qwen3": GgufRecipe("qwen3", "qwen3"),
    "gemma": GgufRecipe("gemma", "gemma", norm_offset=1.0),
    "gemma2": GgufRecipe("gemma2", "gemma2", norm_offset=1.0, fields=dict(query_pre_attn_scalar=16), describe=gemma2),
    "gemma3": GgufRecipe("gemma3", "gemma3", norm_offset=1.0, fields=dict(query_pre_attn_scalar=16, **SIX_LAYERS), describe=gemma3),
    "phi3": GgufRecipe("phi3", "phi3", describe=phi3),
    "phi3-longrope": GgufRecipe("phi3-longrope-long", "phi3", describe=phi3, factors=True),
    "phi4-mini": GgufRecipe("phi4-mini", "phi3", describe=phi3),
    "olmo2": GgufRecipe("olmo2", "olmo2"),
    "granite": GgufRecipe("granite", "granite", permutes=True, describe=granite),
    "command-r": GgufRecipe("cohere", "command-r", describe=lambda writer, config: writer.add_logit_scale(config.logit_scale)),
    "cohere2": GgufRecipe("cohere2", "cohere2", fields=dict(num_hidden_layers=4, layer_types=None), describe=cohere2),
    "smollm3": GgufRecipe("smollm3", "smollm3", permutes=True, fields=dict(num_hidden_layers=4, no_rope_layers=None)),
}


def add_sizes(writer: GGUFWriter, config: Any) -> None:
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = config.rope_parameters
    full = rope.get("full_attention", rope)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_freq_base(full["rope_theta"])
    writer.add_rope_dimension_count(int(head_dim * full.get("partial_rotary_factor", 1.0)))
    if hasattr(config, "layer_norm_eps"):
        writer.add_layer_norm_eps(config.layer_norm_eps)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def write_model(name: str, recipe: GgufRecipe, golden: Path, folder: Path) -> None:
    source = architectures.recipes()[recipe.source]
    fields = {key: value for key, value in {**source.fields, **recipe.fields}.items() if value is not None}
    model = architectures.build(name, Recipe(source.model, source.config, fields, "float32", norm_center=source.norm_center))
    config = model.config
    names = gguf.get_tensor_name_map({v: k for k, v in MODEL_ARCH_NAMES.items()}[recipe.architecture], config.num_hidden_layers)
    writer = GGUFWriter(folder / f"{name}.gguf", recipe.architecture)
    add_sizes(writer, config)
    recipe.describe(writer, config)
    if recipe.factors:
        for length in ("short", "long"):
            writer.add_tensor(f"rope_factors_{length}.weight", np.array(config.rope_parameters[f"{length}_factor"], np.float32))
    state = model.state_dict()
    for key, parameter in state.items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target = names.get_name(key, try_suffixes=(".weight", ".bias"))
        weight = parameter.numpy()
        heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(target.split(".")[-2], 0) * recipe.permutes
        is_norm = target.endswith("norm.weight")
        stored = permuted(weight, heads) if heads else weight + recipe.norm_offset if is_norm else weight
        kind = Type.F32 if weight.ndim == 1 else Type.F16 if weight.shape[-1] % 32 else Type.Q8_0
        data = quantize(np.ascontiguousarray(stored, np.float32), kind)
        writer.add_tensor(target, data, raw_dtype=kind)
        values = dequantize(data, kind).reshape(weight.shape)
        if kind == Type.Q8_0:  # loaded as fp16
            values = values.astype(np.float16).astype(np.float32)
        state[key] = torch.from_numpy((restored(values, heads) if heads else values - recipe.norm_offset if is_norm else values).copy())
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_golden(name, source, model, golden)


def write_golden(name: str, source: Recipe, model: PreTrainedModel, golden: Path) -> None:
    tokens = architectures.prompt(name, source, 0)
    continuation, lead = decoder.greedy(model, tokens, 12)
    save_file({"logits": architectures.cached_logits(model, tokens)}, golden / f"{name}.safetensors")
    write_json(golden / f"{name}.json", {"tokens": tokens, "greedy": continuation, "smallest_lead": lead}, indent=None)


def write(golden: Path, models: Path) -> None:
    fixtures = models.parent / "gguf-architectures"
    for folder in (golden / "gguf-architectures", fixtures):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for name, recipe in RECIPES.items():
        write_model(name, recipe, golden / "gguf-architectures", fixtures)
