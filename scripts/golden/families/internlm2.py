"""InternLM2 is no part of transformers: a Llama whose folder is rewritten to its names, queries, keys and values of a head side by side."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from .recipe import TINY, Recipe

HEADS, GROUPS, DIM = 4, 2, 8
NAMES = {
    "model.embed_tokens": "model.tok_embeddings", "lm_head": "output", "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm", "self_attn.o_proj": "attention.wo", "mlp.gate_proj": "feed_forward.w1",
    "mlp.up_proj": "feed_forward.w3", "mlp.down_proj": "feed_forward.w2",
}


def rewrite(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    out: dict[str, torch.Tensor] = {}
    for key, tensor in tensors.items():
        if "self_attn.k_proj" in key or "self_attn.v_proj" in key:
            continue
        if "self_attn.q_proj" in key:
            parts = [tensors[key.replace("q_proj", f"{part}_proj")].unflatten(0, (GROUPS, -1)) for part in "qkv"]
            out[key.replace("self_attn.q_proj", "attention.wqkv")] = torch.cat(parts, dim=1).flatten(0, 1).contiguous()
            continue
        for theirs, ours in NAMES.items():
            key = key.replace(theirs, ours)
        out[key] = tensor
    save_file(out, folder / "model.safetensors", metadata={"format": "pt"})
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config |= {"architectures": ["InternLM2ForCausalLM"], "model_type": "internlm2", "bias": config.pop("attention_bias"),
               "rope_theta": rope["rope_theta"], "rope_scaling": None, "torch_dtype": config.pop("dtype")}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


COMMON = dict(**TINY, num_key_value_heads=GROUPS, tie_word_embeddings=False)
LLAMA = dict(model=LlamaForCausalLM, config=LlamaConfig, rewrite=rewrite)

RECIPES = {
    # Blocks of 64 end where heads do, so that the codes are those of the separate matrices; not so with double quantization.
    "internlm2": Recipe(**LLAMA, fields=dict(**COMMON), formats=("nf4", "fp4", "int8")),
}
