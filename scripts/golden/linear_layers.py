"""Which weights of every model class transformers lets bitsandbytes convert (test/golden/linear-layers), by the names that files have.

Each class is built without memory from the default configuration of its model type, with few layers.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import CONFIG_MAPPING, PreTrainedConfig, PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion
from transformers.models.auto import modeling_auto
from transformers.pytorch_utils import Conv1D
from transformers.quantizers.base import HfQuantizer
from transformers.quantizers.quantizers_utils import should_convert_module

from .common import write_json

NOTES = [
    "test/golden/linear-layers: of each model class in transformers' lists of causal, sequence-to-sequence, image-text-to-text, masked and "
    "speech models that can be built from its default configuration: the model type and, under the names of save_pretrained with numbers "
    "replaced by #, every tensor of two or more dimensions and the biases of matrices: shape and `linear`, `conv1d` (converted by "
    "bitsandbytes) or `kept`. Left out: classes whose files hold converted layers in another cut than the model.",
]

LISTS = {
    "causal": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "sequence-to-sequence": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "vision": "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES",
    "masked": "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "speech": "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES",
}
N_LAYERS = 4
LAYER_COUNTS = re.compile(r"(num_(hidden|decoder|encoder)_)?(num_)?layers?|n_layers?|(en|de)coder_layers|depth|attn_layers|num_blocks")
EXPERT_COUNTS = re.compile(r"num_(local_)?experts|n_routed_experts|moe_num_experts")
CHOSEN_COUNTS = re.compile(r"num_experts_per_tok(en)?|moe_topk|moe_k|top_k_experts")


def shrink(config: PreTrainedConfig) -> PreTrainedConfig:
    """Fewer layers and experts, in the parts of the configuration too."""
    for key, value in list(vars(config).items()):
        if isinstance(value, PreTrainedConfig):
            shrink(value)
        elif key in ("layer_types", "mlp_layer_types") and isinstance(value, list):
            setattr(config, key, value[:N_LAYERS])
        elif isinstance(value, int) and (LAYER_COUNTS.fullmatch(key) or EXPERT_COUNTS.fullmatch(key)) and value > N_LAYERS:
            setattr(config, key, N_LAYERS)
        elif isinstance(value, int) and CHOSEN_COUNTS.fullmatch(key) and value > 2:
            setattr(config, key, 2)
    return config


def converted_modules(model: PreTrainedModel) -> dict[str, str]:
    """What replace_with_bnb_linear would replace, by the name of its weight."""
    skip = HfQuantizer.get_modules_to_not_convert(model, None, model._keep_in_fp32_modules)
    kinds = {Conv1D: "conv1d", nn.Linear: "linear"}
    return {f"{name}.weight": kinds[type(module)] for name, module in model.named_modules()
            if type(module) in kinds and should_convert_module(name, skip)}


def tensors_of(model: PreTrainedModel) -> dict[str, str] | None:
    """Pattern of the name -> "shape kind"; None where converted weights are cut or joined when they are saved."""
    converted = converted_modules(model)
    state = {key: value for key, value in model.state_dict().items() if key not in model.all_tied_weights_keys}
    names = {id(value): key for key, value in state.items()}
    saved = revert_weight_conversion(model, dict(state))
    if not set(converted) <= {names.get(id(value)) for value in saved.values()}:
        return None
    matrices = {key for key, value in saved.items() if value.ndim == 2 and key.endswith(".weight")}
    tensors: dict[str, str] = {}
    for key, value in sorted(saved.items()):
        if value.ndim >= 2 or (key.endswith(".bias") and f"{key[:-5]}.weight" in matrices):
            kind = converted.get(names.get(id(value), ""), "kept")
            tensors.setdefault(re.sub(r"\d+", "#", key), f"{'x'.join(map(str, value.shape))} {kind}")
    return tensors


def classes(mapping: str) -> Iterator[tuple[str, str]]:
    for model_type, names in getattr(modeling_auto, mapping).items():
        yield model_type, names[0] if isinstance(names, (tuple, list)) else names


def build(model_type: str, class_name: str) -> PreTrainedModel | None:
    """None: the default configuration of the type makes no such model, or needs a package that is not there."""
    try:
        with torch.device("meta"):
            return getattr(transformers, class_name)(shrink(CONFIG_MAPPING[model_type]()))
    except Exception:  # noqa: BLE001  each type fails in its own way
        return None


def write(golden: Path, _models: Path) -> None:
    warnings.filterwarnings("ignore")
    seen: set[str] = set()
    for title, mapping in LISTS.items():
        found: dict[str, Any] = {}
        for model_type, class_name in classes(mapping):
            if class_name in seen or (model := build(model_type, class_name)) is None:
                continue
            seen.add(class_name)
            if tensors := tensors_of(model):
                found[class_name] = {"model_type": model_type, "tensors": tensors}
        write_json(golden / "linear-layers" / f"{title}.json", found, indent=None)
        print(f"  {title}: {len(found)} classes")
