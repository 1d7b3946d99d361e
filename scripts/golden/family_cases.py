"""What Python makes of the mixed lines with the tokenizer of each family and with SentencePiece models: checksums of blocks of lines."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import unicodedata
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sentencepiece as spm
from tokenizers import Tokenizer
from transformers import GemmaTokenizer, LlamaTokenizer, T5Tokenizer
from transformers.convert_slow_tokenizer import LlamaConverter, generate_merges

from .family_parts import add, training_lines
from .family_tokenizers import FAMILIES
from .mixed_lines import SPECIALS, mixed_lines

BLOCK = 50
N_WHOLE = 12

NOTES = [
    "test/golden/tokenizers/families/<family>.json: a tokenizer.json; sentencepiece/<model>/tokenizer.model: trained by SentencePiece. "
    f"mixed-lines.json: the texts. families.json: for each tokenizer the checksums of each {BLOCK} lines: `ids` (special tokens in the "
    "text recognized, none added), `tokens` as the vocabulary writes them, `decoded` with and `plain` without special tokens; `first` "
    "the ids of the first lines; `before`, `after` the ids that are added around a text. A checksum is the start of the SHA-256 of the "
    "concatenation of length in bytes, colon, text for every text (ids of a line: joined by commas). `sentencepiece`: the ids of "
    "SentencePiece itself, `without` lines that hold one of these, `except` these of the rest.",
]


def checksums(lines: list[list[str]]) -> list[str]:
    """One per block; each line is a list of texts."""
    def of(block: list[list[str]]) -> str:
        texts = [text.encode() for line in block for text in line]
        return hashlib.sha256(b"".join(str(len(text)).encode() + b":" + text for text in texts)).hexdigest()[:16]

    return [of(lines[i : i + BLOCK]) for i in range(0, len(lines), BLOCK)]


def ids_checks(ids: list[list[int]]) -> dict[str, Any]:
    return {"first": ids[:N_WHOLE], "ids": checksums([[",".join(map(str, line))] for line in ids])}


def expected(tokenizer: Tokenizer, lines: list[str]) -> dict[str, Any]:
    encoded = [tokenizer.encode(line, add_special_tokens=False) for line in lines]
    ids = [each.ids for each in encoded]
    body, whole = tokenizer.encode("Hello", add_special_tokens=False).ids, tokenizer.encode("Hello").ids
    start = next(i for i in range(len(whole)) if whole[i : i + len(body)] == body)
    return {
        "before": whole[:start],
        "after": whole[start + len(body) :],
        **ids_checks(ids),
        "tokens": checksums([[tokenizer.id_to_token(i) for i in line] for line in ids]),
        "decoded": checksums([[tokenizer.decode(line, skip_special_tokens=False)] for line in ids]),
        "plain": checksums([[tokenizer.decode(line)] for line in ids]),
    }


def train_sentencepiece(path: Path, kind: str, size: int, **options: Any) -> None:
    written = BytesIO()
    lines = [line.replace("\n", " ") for line in training_lines()]
    spm.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=written, model_type=kind, vocab_size=size, num_threads=1,
                                   minloglevel=2, hard_vocab_limit=False, **options)
    path.parent.mkdir(parents=True)
    path.write_bytes(written.getvalue())


LLAMA_SYMBOLS = ["<tool>", "\t\t"]
EXACT_SPACES: dict[str, Any] = {
    "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True, "split_digits": True,
    "byte_fallback": True,
}
MODELS: dict[str, Callable[[Path], None]] = {
    "llama": lambda path: train_sentencepiece(
        path, "bpe", 640, user_defined_symbols=LLAMA_SYMBOLS, control_symbols=["<control>"], **EXACT_SPACES),
    "gemma": lambda path: train_sentencepiece(
        path, "bpe", 640, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>",
        user_defined_symbols=["<start_of_turn>", "<table>", "\n\n"], **EXACT_SPACES),
    "t5": lambda path: train_sentencepiece(path, "unigram", 400, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, character_coverage=0.99),
    "unigram-bytes": lambda path: train_sentencepiece(path, "unigram", 700, **EXACT_SPACES),
}


class MergesByScore:
    """In place of the converter's own, whose signature its caller no longer knows (transformers 5.23)."""

    def __init__(self, path: str) -> None:
        self.path = path

    def extract(self, vocab_scores: list[tuple[str, float]]) -> tuple[dict[str, int], list[tuple[str, str]]]:
        vocab = {piece: i for i, (piece, _) in enumerate(vocab_scores)}
        return vocab, generate_merges(vocab, vocab_scores)


class LegacyLlama(LlamaConverter):
    """For models whose files say "legacy": true, or nothing."""

    SpmExtractor = MergesByScore


def legacy_llama(folder: Path) -> Tokenizer:
    path = str(folder / "tokenizer.model")
    pieces = spm.SentencePieceProcessor(model_file=path)
    original = SimpleNamespace(vocab_file=path, legacy=True, add_prefix_space=True, convert_ids_to_tokens=pieces.id_to_piece)
    tokenizer = LegacyLlama(original).converted()
    add(tokenizer, ["<unk>"])
    return tokenizer


# (folder, tokenizer_config.json, what transformers makes of the two or None)
CONVERSIONS: list[tuple[str, dict[str, Any], Callable[[Path], Tokenizer] | None]] = [
    ("llama", {"tokenizer_class": "LlamaTokenizer", "legacy": False, "add_bos_token": True},
     lambda folder: LlamaTokenizer.from_pretrained(folder)._tokenizer),
    ("llama", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": False}, legacy_llama),
    ("gemma", {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True},
     lambda folder: GemmaTokenizer.from_pretrained(folder)._tokenizer),
    ("t5", {"tokenizer_class": "T5Tokenizer"}, lambda folder: T5Tokenizer.from_pretrained(folder)._tokenizer),
    ("unigram-bytes", {}, None),
]


def conversion(folder: Path, config: dict[str, Any], convert: Callable[[Path], Tokenizer]) -> Tokenizer:
    with tempfile.TemporaryDirectory() as copy:
        shutil.copy(folder / "tokenizer.model", copy)
        (Path(copy) / "tokenizer_config.json").write_text(json.dumps(config))
        return convert(Path(copy))


def sentencepiece_itself(folder: Path, lines: list[str], converted: Tokenizer | None) -> dict[str, Any]:
    """`except`: the lines in which transformers differs, because its normalizer takes a space and a mark on it for one character."""
    processor = spm.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    special = [processor.id_to_piece(i) for i in range(len(processor)) if processor.is_control(i) or processor.is_unknown(i)]
    # SentencePiece knows special tokens only as ids, takes U+2581 for a space, and puts no space after user-defined symbols as the
    # converter does. T5Tokenizer takes U+0085 for a space.
    without = sorted({*special, *SPECIALS, *LLAMA_SYMBOLS, "▁", "\x00", "\x85"})
    kept = [line for line in lines if not any(text in line for text in without)]
    differing = []
    if converted and "Precompiled" in str(converted.normalizer):
        differing = [i for i, line in enumerate(kept) if converted.encode(line, add_special_tokens=False).ids != processor.encode(line)]
    if len(differing) > 0.01 * len(kept):
        raise AssertionError(f"{folder}: {len(differing)} of {len(kept)} lines differ from SentencePiece")
    ids = [processor.encode(line) for i, line in enumerate(kept) if i not in differing]
    return {"without": without, "except": differing, **ids_checks(ids)}


def write(out: Path) -> None:
    lines = mixed_lines()
    rows = ",\n".join(json.dumps(line, ensure_ascii=False if line.isprintable() else True) for line in lines)
    (out / "mixed-lines.json").write_text(f"[\n{rows}]\n", encoding="utf-8")
    entries = []
    (out / "families").mkdir()
    for name, make in FAMILIES.items():
        tokenizer = make()
        path = out / "families" / f"{name}.json"
        path.write_text(tokenizer.to_str(pretty=False) + "\n", encoding="utf-8")
        entries.append({"name": name, "file": f"families/{path.name}", **expected(Tokenizer.from_file(str(path)), lines)})
    for name, train in MODELS.items():
        train(out / "sentencepiece" / name / "tokenizer.model")
    for name, config, convert in CONVERSIONS:
        folder = out / "sentencepiece" / name
        entry: dict[str, Any] = {"name": f"sentencepiece {name} {json.dumps(config)}", "folder": f"sentencepiece/{name}", "config": config}
        converted = convert and conversion(folder, config, convert)
        if converted:
            entry |= expected(converted, lines)
        if config.get("legacy") is not False:  # else the converter forgets spaces before the first word
            entry["sentencepiece"] = sentencepiece_itself(folder, lines, converted)
        entries.append(entry)
    rows = ",\n".join(json.dumps(entry, ensure_ascii=True, separators=(",", ":")) for entry in entries)
    (out / "families.json").write_text(f"[\n{rows}]\n", encoding="utf-8")
