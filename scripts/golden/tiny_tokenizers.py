"""Tiny tokenizers of every kind that the supported models use, trained on our own prose.

Kinds: smollm (byte-level BPE, digits apart), llama3 and qwen2 (byte-level BPE behind their split patterns), spm (BPE
with byte fallback as converted from SentencePiece, prefix by normalizer), metaspace (the same with a Metaspace
pre-tokenizer), unigram.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from .texts import CORPUS

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
PUNCTUATION_AND_SPACE = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3_SPLIT = rf"{CONTRACTIONS}|{WORDS}|\p{{N}}{{1,3}}|{PUNCTUATION_AND_SPACE}"
QWEN2_SPLIT = rf"{CONTRACTIONS}|{WORDS}|\p{{N}}|{PUNCTUATION_AND_SPACE}"

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
HEADERS = (
    "{{- bos_token }}{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] "
    "+ ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}{% else %}"
    "{{ raise_exception('Only user and assistant roles are supported') }}{% endif %}{% endfor %}"
)


@dataclass(frozen=True)
class Kind:
    """The special tokens of a kind (in the order of their ids) and its chat template."""

    bos: str
    eos: str
    template: str
    specials: list[str] = field(default_factory=list)
    unk: str | None = None


KINDS = {
    "smollm": Kind("<|im_start|>", "<|im_end|>", CHATML, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], "<|endoftext|>"),
    "llama3": Kind("<|begin_of_text|>", "<|eot_id|>", HEADERS,
                   ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]),
    "qwen2": Kind("<|endoftext|>", "<|im_end|>", CHATML, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]),
    "spm": Kind("<s>", "</s>", INST, ["<unk>", "<s>", "</s>"], "<unk>"),
    "metaspace": Kind("<s>", "</s>", INST, ["<unk>", "<s>", "</s>"], "<unk>"),
    "unigram": Kind("<s>", "</s>", INST, ["<unk>", "<s>", "</s>"], "<unk>"),
}


def _byte_level(kind: str, vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama3"))
    if kind == "smollm":
        parts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    else:
        split = Regex(LLAMA3_SPLIT if kind == "llama3" else QWEN2_SPLIT)
        parts = [pre_tokenizers.Split(split, behavior="isolated"),
                 pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    # Qwen2 and Llama 3 number their special tokens after the vocabulary, SmolLM2 before it.
    specials = KINDS[kind].specials
    leading = specials if kind == "smollm" else []
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True), trainers.BpeTrainer(
        vocab_size=vocab_size - len(specials) + len(leading), special_tokens=leading, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    if kind == "llama3":
        bos = KINDS[kind].bos
        tokenizer.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))])])
    return tokenizer


def spm_pieces(vocab_size: int) -> list[str]:
    """Pieces in the order of their ids, as SentencePiece lays them out: specials, 256 bytes, merged pieces, characters."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trained.pre_tokenizer = pre_tokenizers.Split(Regex("▁"), behavior="merged_with_next")
    n_fixed = 3 + 256
    trained.train_from_iterator(CORPUS.splitlines(), trainers.BpeTrainer(
        vocab_size=vocab_size - n_fixed, show_progress=False, special_tokens=[]))
    by_id = sorted(trained.get_vocab(), key=trained.token_to_id)
    merged, characters = [p for p in by_id if len(p) > 1], [p for p in by_id if len(p) == 1]
    return [*KINDS["spm"].specials, *(f"<0x{byte:02X}>" for byte in range(256)), *merged, *characters]


def spm_merges(pieces: list[str]) -> list[tuple[str, str]]:
    """Every way to put a piece together from two others, best piece first: SentencePiece knows no list of merges."""
    ids = {piece: i for i, piece in enumerate(pieces)}
    merges = []
    for piece in pieces[3 + 256 :]:
        splits = [(piece[:i], piece[i:]) for i in range(1, len(piece))]
        merges += sorted(((l, r) for l, r in splits if l in ids and r in ids), key=lambda pair: (ids[pair[0]], ids[pair[1]]))
    return merges


def _sentencepiece_bpe(kind: str, vocab_size: int) -> Tokenizer:
    pieces = spm_pieces(vocab_size)
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, spm_merges(pieces), unk_token="<unk>",
                                     byte_fallback=True, fuse_unk=True))
    if kind == "spm":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in KINDS[kind].specials])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])
    return tokenizer


def _unigram(vocab_size: int) -> Tokenizer:
    """The pieces of spm, each with a log probability by its rank: UnigramTrainer gives another model on every run."""
    pieces = [piece for piece in spm_pieces(vocab_size + 256) if not piece.startswith("<0x")]
    n_specials = len(KINDS["unigram"].specials)
    scores = [0.0] * n_specials + [-2.0 - 0.5 * math.log(1 + i) for i in range(len(pieces) - n_specials)]
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores)), unk_id=0, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in KINDS["unigram"].specials])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))])
    return tokenizer


def make_tokenizer(kind: str, vocab_size: int) -> PreTrainedTokenizerFast:
    """A tokenizer of exactly vocab_size tokens, with its special tokens and chat template."""
    if kind in ("spm", "metaspace"):
        tokenizer = _sentencepiece_bpe(kind, vocab_size)
    else:
        tokenizer = _unigram(vocab_size) if kind == "unigram" else _byte_level(kind, vocab_size)
    if tokenizer.get_vocab_size() != vocab_size:
        raise AssertionError(f"{kind}: {tokenizer.get_vocab_size()} tokens instead of {vocab_size}")
    about = KINDS[kind]
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=about.bos, eos_token=about.eos,
                                      unk_token=about.unk, pad_token=about.eos, model_max_length=2048,
                                      clean_up_tokenization_spaces=False)
    wrapped.chat_template = about.template
    return wrapped
