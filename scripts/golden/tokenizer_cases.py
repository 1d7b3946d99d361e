"""Text -> ids -> text for every kind of tokenizer (test/golden/tokenizers)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from . import family_cases
from .texts import LINES
from .tiny_tokenizers import make_tokenizer

NOTES = [
    "test/golden/tokenizers/cases.json: `texts`, and for each tokenizer (a folder from the repository root) `ids` without "
    "added special tokens, special tokens in the text recognized; `with_special` the ids that encoding adds around them: "
    "{before, after}; `decoded` the text that the ids give, special tokens kept, null where it is the input again; "
    "`decoded_plain` the same with special tokens left out, null where it equals `decoded`.",
    *family_cases.NOTES,
]

# One folder per kind; the first six lie in the models, unigram has no model.
FOLDERS = {
    "smollm": "test/fixtures/models/llama",
    "llama3": "test/fixtures/models/llama-rope-llama3",
    "qwen2": "test/fixtures/models/qwen2",
    "spm": "test/fixtures/models/llama-tied-sharded",
    "metaspace": "test/fixtures/models/mistral",
    "unigram": "test/golden/tokenizers/unigram",
}


def cases(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    ids = [tokenizer.encode(text, add_special_tokens=False) for text in LINES]
    decoded = [tokenizer.decode(i, skip_special_tokens=False) for i in ids]
    plain = [tokenizer.decode(i, skip_special_tokens=True) for i in ids]
    body, whole = ids[LINES.index("Hello")], tokenizer.encode("Hello")
    start = next(i for i in range(len(whole)) if whole[i : i + len(body)] == body)
    return {
        "with_special": {"before": whole[:start], "after": whole[start + len(body) :]},
        "ids": ids,
        "decoded": [None if d == text else d for d, text in zip(decoded, LINES)],
        "decoded_plain": [None if p == d else p for p, d in zip(plain, decoded)],
    }


def write(golden: Path, _models: Path) -> None:
    out = golden / "tokenizers"
    shutil.rmtree(out, ignore_errors=True)
    root = golden.parent.parent
    make_tokenizer("unigram", 300).save_pretrained(out / "unigram", save_jinja_files=False)
    rows = [f'  {{"kind": "{kind}", "folder": "{folder}", {_dump(cases(PreTrainedTokenizerFast.from_pretrained(root / folder)))[1:]}'
            for kind, folder in FOLDERS.items()]
    texts = ",\n".join(f"  {_dump(text)}" for text in LINES)
    (out / "cases.json").write_text(f'{{"texts": [\n{texts}],\n"tokenizers": [\n' + ",\n".join(rows) + "]}\n", encoding="utf-8")
    family_cases.write(out)


def _dump(value: Any) -> str:
    """ASCII, so that no editor can change a control or combining character on the way."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
