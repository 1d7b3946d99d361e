"""Patterns, and training of tiny vocabularies, for family_tokenizers.py."""

from __future__ import annotations

import json
import math

from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers

from .mixed_lines import CODE, EMOJI, NUMBERS, WORDS
from .texts import CORPUS
from .tiny_tokenizers import LLAMA3_SPLIT, QWEN2_SPLIT

SIZE = 512

UPPER, LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K_SPLIT = (
    rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]*[{LOWER}]+{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]+[{LOWER}]*{CONTRACTIONS}"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEKKEN_SPLIT = (
    rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]*[{LOWER}]+|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]+[{LOWER}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BLOOM_SPLIT = " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"
DEEPSEEK3_SPLITS = [
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
]
DEEPSEEK_LLM_SPLITS = [
    "[\r\n]",
    "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376"
    "\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556"
    "\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15"
    "\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe"
    "\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113"
    "\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184"
    "\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e"
    "\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3"
    "\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+",
    "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
    r"\s+$",
    "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+",
]


def training_lines() -> list[str]:
    words, code = [" ".join(WORDS[i : i + 6]) for i in range(0, len(WORDS), 2)], [" ".join(CODE[i : i + 3]) for i in range(len(CODE))]
    return [*CORPUS.splitlines(keepends=True), *words, *code, " ".join(EMOJI * 2), " ".join(NUMBERS * 2)]


def train(tokenizer: Tokenizer, size: int = SIZE, byte_level: bool = True, **options: object) -> None:
    """Learns the model behind the tokenizer's own normalizer and pre-tokenizer."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet()) if byte_level else []
    trainer = {"BPE": trainers.BpeTrainer, "WordPiece": trainers.WordPieceTrainer, "WordLevel": trainers.WordLevelTrainer}
    kind = type(tokenizer.model).__name__
    if kind != "WordLevel":
        options = {"initial_alphabet": alphabet, **options}
    tokenizer.train_from_iterator(training_lines(), trainer[kind](vocab_size=size, show_progress=False, **options))


def plain_merges(tokenizer: Tokenizer, count: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Characters and merges behind the tokenizer's normalizer and pre-tokenizer. From these the vocabularies with a prefix or a suffix are
    made: the trainers of those give another one on every run."""
    learner = Tokenizer(models.BPE())
    learner.normalizer, learner.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    train(learner, count, False)
    learned = json.loads(learner.to_str())["model"]
    characters = sorted((piece for piece in learned["vocab"] if len(piece) == 1), key=learned["vocab"].get)
    return characters, [(left, right) for left, right in learned["merges"]]


def add(tokenizer: Tokenizer, special: list[str] = [], plain: list[str] = [], normalized: bool = False, rstrip: bool = False) -> None:
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=normalized) for text in plain])
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False, rstrip=rstrip) for text in special])


def split(pattern: str) -> pre_tokenizers.Split:
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated")


def plain_bytes() -> pre_tokenizers.ByteLevel:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def unigram_scores(pieces: list[str], fixed: int) -> list[tuple[str, float]]:
    """Log probabilities by rank: UnigramTrainer gives another model on every run."""
    return [(piece, 0.0 if i < fixed else -2.0 - 0.5 * math.log(1 + i - fixed)) for i, piece in enumerate(pieces)]

