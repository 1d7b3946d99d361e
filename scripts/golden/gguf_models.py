"""GGUF files (test/fixtures/models/gguf) with the values that they must decode to and compute (test/golden/gguf)."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
from gguf import GGUFWriter, TokenType
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file
from sentencepiece import sentencepiece_model_pb2
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging

from . import decoder, gguf_kinds
from .common import SEED, write_json
from .models import RECIPES, build, prompt
from .texts import LINES

NOTES = [
    "test/fixtures/models/gguf: for the architecture `llama` the rows of attn_q and attn_k are permuted as "
    "convert_hf_to_gguf does, because GGUF programs rotate neighbouring pairs: within each head, row 2i+j of the file is "
    "row j*D/2+i of the Hugging Face weight (j = 0, 1). `qwen2` is not permuted. rope_freqs.weight holds the factors by "
    "which the llama3 scaling divides the rotary frequencies. test/golden/gguf/<file>.safetensors: tokens, and logits [T,V] "
    "computed in fp32 from the values that the tensors of the file decode to (gguf.quants.dequantize).",
    "test/fixtures/models/gguf/llama-split-0000?-of-00003.gguf: one model in three parts, as the gguf package splits it.",
    gguf_kinds.NOTE,
]


@dataclass(frozen=True)
class Recipe:
    """A model of models.py as a GGUF file: which type each tensor gets, by the end of its name."""

    source: str
    architecture: str
    tokenizer_model: str
    tokenizer_pre: str
    types: dict[str, Type]
    default: Type
    max_tensors: int = 0  # of one part; 0: not split
    fields: dict[str, int] = field(default_factory=dict)  # what differs from the configuration of the source


RECIPES_GGUF = {
    "llama-bpe-bf16": Recipe("llama-rope-llama3", "llama", "gpt2", "llama-bpe", {"attn_v.weight": Type.F32}, Type.BF16),
    "llama-spm-mixed": Recipe("llama-tied-sharded", "llama", "llama", "default", {
        "token_embd.weight": Type.Q8_0, "attn_q.weight": Type.Q4_0, "attn_k.weight": Type.Q4_1, "attn_v.weight": Type.Q5_0,
        "attn_output.weight": Type.Q5_1, "ffn_gate.weight": Type.Q8_0, "ffn_up.weight": Type.Q4_0}, Type.F16),
    "qwen2-q4_0": Recipe("qwen2", "qwen2", "gpt2", "qwen2", {"token_embd.weight": Type.Q8_0}, Type.Q4_0),
    # Rows of one block of 256: the kinds that llama.cpp mixes in its smallest files.
    "llama-few-bits": Recipe("llama", "llama", "gpt2", "smollm", {
        "token_embd.weight": Type.Q5_K, "attn_q.weight": Type.IQ2_XXS, "attn_k.weight": Type.Q3_K, "attn_v.weight": Type.Q6_K,
        "attn_output.weight": Type.IQ3_S, "ffn_gate.weight": Type.Q2_K, "ffn_up.weight": Type.IQ1_M,
        "ffn_down.weight": Type.IQ4_XS}, Type.F16,
        fields=dict(hidden_size=256, intermediate_size=256, num_hidden_layers=1, head_dim=64, tie_word_embeddings=True)),
    "llama-split": Recipe("llama", "llama", "gpt2", "smollm", {}, Type.Q4_0, max_tensors=8),
}

NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def gguf_name(name: str) -> str:
    """model.layers.0.self_attn.q_proj.weight -> blk.0.attn_q.weight"""
    fixed = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
             "lm_head.weight": "output.weight"}
    if name in fixed:
        return fixed[name]
    _, _, layer, rest = name.split(".", 3)
    module, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{NAMES[module]}.{kind}"


def permuted(weight: np.ndarray, n_heads: int) -> np.ndarray:
    return weight.reshape(n_heads, 2, weight.shape[0] // n_heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def restored(weight: np.ndarray, n_heads: int) -> np.ndarray:
    return weight.reshape(n_heads, weight.shape[0] // n_heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def rope_factors(config: Any) -> np.ndarray:
    """What llama3 scaling divides each rotary frequency by; [D/2]."""
    rope = config.rope_parameters
    original = rope["original_max_position_embeddings"]
    factors = []
    for i in range(0, config.head_dim, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (i / config.head_dim)
        smooth = (original / wavelength - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
        smooth = min(max(smooth, 0.0), 1.0)
        factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(factors, np.float32)


def add_tokenizer(writer: GGUFWriter, recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> None:
    about = json.loads(tokenizer.backend_tokenizer.to_str())
    tokens = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    specials = {token["content"] for token in about["added_tokens"] if token["special"]}
    is_spm = recipe.tokenizer_model == "llama"

    def token_type(token: str) -> TokenType:
        if is_spm and token == tokenizer.unk_token:
            return TokenType.UNKNOWN
        if is_spm and token.startswith("<0x"):
            return TokenType.BYTE
        return TokenType.CONTROL if token in specials else TokenType.NORMAL

    writer.add_tokenizer_model(recipe.tokenizer_model)
    writer.add_tokenizer_pre(recipe.tokenizer_pre)
    writer.add_token_list(tokens)
    writer.add_token_types([token_type(token) for token in tokens])
    if is_spm:
        writer.add_token_scores([float(259 - i) if i >= 259 else 0.0 for i in range(len(tokens))])
        writer.add_add_space_prefix(True)
        writer.add_unk_token_id(tokenizer.unk_token_id)
        check_sentencepiece(tokens, [token_type(token) for token in tokens], tokenizer)
    else:
        writer.add_token_merges([" ".join(pair) for pair in about["model"]["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_add_bos_token(recipe.architecture == "llama")
    writer.add_chat_template(tokenizer.chat_template)


def check_sentencepiece(tokens: list[str], types: list[TokenType], tokenizer: PreTrainedTokenizerFast) -> None:
    """SentencePiece itself, given these pieces and scores, must give the ids of tokenizer.json."""
    model = sentencepiece_model_pb2.ModelProto()
    for i, (token, kind) in enumerate(zip(tokens, types)):
        model.pieces.add(piece=token, score=float(259 - i) if i >= 259 else 0.0, type=int(kind))
    model.trainer_spec.model_type = sentencepiece_model_pb2.TrainerSpec.BPE
    model.trainer_spec.byte_fallback = True
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = False
    model.normalizer_spec.escape_whitespaces = True
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    for line in LINES:
        if line and not any(special in line for special in ("<s>", "</s>", "<unk>", "<0x", "\x00")):
            expected, found = tokenizer.encode(line, add_special_tokens=False), processor.encode(line)
            if expected != found:
                raise AssertionError(f"{line!r}: tokenizer.json gives {expected}, SentencePiece {found}")


def add_description(writer: GGUFWriter, model: PreTrainedModel) -> None:
    config = model.config
    writer.add_name("tiny random model")
    writer.add_license("mit")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def resized(source: PreTrainedModel, fields: dict[str, int]) -> PreTrainedModel:
    """A model with other sizes; its matrices have the usual deviations of models.py."""
    model = type(source)(type(source.config)(**{**source.config.to_dict(), **fields})).eval()
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            is_norm, deviation = key.endswith("norm.weight"), 0.25 if "embed_tokens" in key else 1.5 / parameter.shape[-1] ** 0.5
            parameter.copy_(1 + 0.2 * noise if is_norm else noise * deviation)
    return model


def blocks_of(weight: np.ndarray, kind: Type, rng: np.random.Generator) -> np.ndarray:
    """The weight in blocks; where the package cannot quantize, random blocks of the same deviation."""
    try:
        return quantize(weight, kind)
    except NotImplementedError:
        return gguf_kinds.random_weight(kind, weight.shape, float(weight.std()), rng)


def write_model(name: str, recipe: Recipe, golden: Path, models: Path) -> None:
    model = build(recipe.source)
    if recipe.fields:
        model = resized(model, recipe.fields)
    config, rng = model.config, np.random.default_rng(SEED)
    path = models / "gguf" / f"{name}.gguf"
    writer = GGUFWriter(path, recipe.architecture, split_max_tensors=recipe.max_tensors)
    add_description(writer, model)
    add_tokenizer(writer, recipe, PreTrainedTokenizerFast.from_pretrained(models / recipe.source))
    if config.rope_parameters["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(config))
    decoded = type(model)(config).eval()
    state = model.state_dict()
    for key, parameter in state.items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target, weight = gguf_name(key), parameter.numpy()
        heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(target.split(".")[-2], 0)
        heads = heads if recipe.architecture == "llama" else 0
        weight = permuted(weight, heads) if heads else weight
        kind = Type.F32 if weight.ndim == 1 else next((t for end, t in recipe.types.items() if target.endswith(end)), recipe.default)
        data = blocks_of(weight, kind, rng)
        writer.add_tensor(target, data, raw_dtype=kind)
        values = dequantize(data, kind).reshape(weight.shape)
        state[key] = torch.from_numpy((restored(values, heads) if heads else values).copy())
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    decoded.load_state_dict(state)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_golden(name, recipe, decoded, golden)
    if recipe.max_tensors == 0:
        check_file(path, decoded, prompt(recipe.source, 0))  # transformers reads no split files


def check_file(path: Path, decoded: PreTrainedModel, tokens: list[int]) -> None:
    """transformers' own GGUF reader must find the same model. (It does not know rope_freqs.weight.)"""
    loaded = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32,
                                                  attn_implementation="eager").eval()
    for (name, expected), found in zip(decoded.named_parameters(), loaded.parameters(), strict=True):
        if not torch.equal(expected, found):
            raise AssertionError(f"{path.name}: transformers reads another {name}")
    is_plain = decoded.config.rope_parameters["rope_type"] == "default"
    if is_plain and np.abs(decoder.logits(loaded, tokens) - decoder.logits(decoded, tokens)).max() > 1e-5:
        raise AssertionError(f"{path.name}: transformers computes something else")


def write_golden(name: str, recipe: Recipe, decoded: PreTrainedModel, golden: Path) -> None:
    tokens = prompt(recipe.source, 0)
    continuation, lead = decoder.greedy(decoded, tokens, 16)
    save_file({"tokens": np.array(tokens), "logits": decoder.logits(decoded, tokens)}, golden / "gguf" / f"{name}.safetensors")
    part = "-00001-of-00003" if recipe.max_tensors else ""
    write_json(golden / "gguf" / f"{name}.json", {
        "file": f"test/fixtures/models/gguf/{name}{part}.gguf", "source": f"test/fixtures/models/{recipe.source}",
        "tokenizer_kind": RECIPES[recipe.source].tokenizer, "tokens": tokens, "greedy": continuation, "smallest_lead": lead,
    }, indent=None)


def write(golden: Path, models: Path) -> None:
    logging.disable_progress_bar()
    for folder in (golden / "gguf", models / "gguf"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for name, recipe in RECIPES_GGUF.items():
        write_model(name, recipe, golden, models)
    gguf_kinds.write(golden, models)
