"""One tiny tokenizer for each family of models: that family's normalizer, pre-tokenizer, decoder, post-processor and kinds of added
tokens around a vocabulary of a few hundred entries. The steps-* are no family: they hold what none of the others has."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from io import BytesIO

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, models, processors
from tokenizers import normalizers as n
from tokenizers import pre_tokenizers as p

from .family_parts import (
    BLOOM_SPLIT, DEEPSEEK3_SPLITS, DEEPSEEK_LLM_SPLITS, LLAMA3_SPLIT, O200K_SPLIT, QWEN2_SPLIT, TEKKEN_SPLIT, add, plain_bytes, plain_merges,
    split, train, unigram_scores,
)
from .tiny_tokenizers import spm_merges, spm_pieces

CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def byte_level(pre: p.PreTokenizer, special: list[str] = ["<|endoftext|>"], normalizer: n.Normalizer | None = None,
               ignore_merges: bool = False, bos: str | None = None) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer)
    add(tokenizer, special)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if bos:
        begin = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))])
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), begin])
    return tokenizer


def gpt2_bytes() -> p.PreTokenizer:
    return p.ByteLevel(add_prefix_space=False)


def behind(*patterns: str, last: p.PreTokenizer | None = None) -> p.PreTokenizer:
    return p.Sequence([*map(split, patterns), last or plain_bytes()])


def with_space_runs(normalizer: n.Normalizer | None = None) -> Tokenizer:
    tokenizer = byte_level(gpt2_bytes(), normalizer=normalizer)
    add(tokenizer, plain=[" " * count for count in range(12, 1, -1)] + ["\t" * count for count in range(5, 1, -1)], normalized=True)
    return tokenizer


def sentencepiece(special: list[str], normalizer: n.Normalizer | None = None, pre: p.PreTokenizer | None = None, strips: bool = True,
                  bos: str = "<s>") -> Tokenizer:
    pieces = spm_pieces(640)
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, spm_merges(pieces), unk_token="<unk>",
                                     byte_fallback=True, fuse_unk=True))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre:
        tokenizer.pre_tokenizer = pre
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if strips else steps)
    add(tokenizer, ["<unk>", "<s>", "</s>", *special])
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))])
    return tokenizer


def prefix() -> n.Normalizer:
    return n.Sequence([n.Prepend("▁"), n.Replace(" ", "▁")])


def phi3() -> Tokenizer:
    tokenizer = sentencepiece([], prefix())
    add(tokenizer, ["<|user|>", "<|assistant|>", "<|end|>"], rstrip=True)
    return tokenizer


def gemma() -> Tokenizer:
    tokenizer = sentencepiece(["<bos>", "<eos>", "<pad>", "<start_of_turn>", "<end_of_turn>"], n.Replace(" ", "▁"),
                              p.Split(" ", "merged_with_previous"), strips=False, bos="<bos>")
    plain = ["\n" * i for i in range(1, 8)] + ["▁" * i for i in range(2, 8)] + ["<table>", "</h1>"] + [f"<unused{i}>" for i in range(99)]
    add(tokenizer, plain=plain)
    return tokenizer


def qwen3() -> Tokenizer:
    tokenizer = byte_level(behind(QWEN2_SPLIT), CHATML, n.NFC())
    add(tokenizer, plain=["<think>", "</think>", "<tool_call>", "</tool_call>"])
    return tokenizer


def falcon() -> Tokenizer:
    steps = [p.Punctuation("contiguous"), gpt2_bytes(), p.Digits(individual_digits=False), split("[0-9][0-9][0-9]")]
    return byte_level(p.Sequence(steps), [">>TITLE<<", ">>ABSTRACT<<", "<|endoftext|>"])


def opt() -> Tokenizer:
    return byte_level(gpt2_bytes(), ["<s>", "<pad>", "</s>", "<unk>"], bos="</s>")


def roberta() -> Tokenizer:
    tokenizer = byte_level(p.ByteLevel(add_prefix_space=True), ["<s>", "<pad>", "</s>", "<unk>"])
    ids = [(token, tokenizer.token_to_id(token)) for token in ("</s>", "<s>")]
    tokenizer.post_processor = processors.RobertaProcessing(*ids, add_prefix_space=True)
    return tokenizer


def removed_inverted() -> Tokenizer:
    return byte_level(p.Sequence([p.Split(Regex(O200K_SPLIT), behavior="removed", invert=True), plain_bytes()]))


def byte_normalizer() -> Tokenizer:
    return byte_level(p.Split(Regex("Ġ|Ċ"), "merged_with_next"), normalizer=n.Sequence([n.NFC(), n.ByteLevel()]))


def charsmap(rules: dict[str, str]) -> bytes:
    """A SentencePiece normalizer with these rules, in the compiled form."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as file:
        file.writelines(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n"
                        for source, target in rules.items())
        file.flush()
        written = BytesIO()
        spm.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f g h"]), model_writer=written, vocab_size=12,
                                                 normalization_rule_tsv=file.name, minloglevel=2, hard_vocab_limit=False)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(written.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


RULES = {"ﬁ": "fi", "…": "...", "½": "1/2", "e\u0301": "é", "Ａ": "A", "１": "1", "\u00a0": " ", "\t": " ", "\u200b": "", "ß": "ss",
         "か\u3099": "が",         "①": "1", "ﬀ": "ff", "²": "2", "\u3000": " ", "“": "\"", "İ": "i\u0307"}


def unigram(byte_fallback: bool) -> Tokenizer:
    specials = ["<pad>", "</s>", "<unk>"]
    pieces = spm_pieces(640)[3:] if byte_fallback else [piece for piece in spm_pieces(640)[3:] if not piece.startswith("<0x")]
    tokenizer = Tokenizer(models.Unigram(unigram_scores([*specials, *pieces], 3), unk_id=2, byte_fallback=byte_fallback))
    steps = [n.Precompiled(charsmap(RULES)), n.Strip(left=False, right=True), n.Replace(Regex(" {2,}"), "▁")]
    tokenizer.normalizer = n.Sequence(steps)
    tokenizer.pre_tokenizer = p.Metaspace() if byte_fallback else p.Sequence([p.WhitespaceSplit(), p.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    if byte_fallback:
        tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    add(tokenizer, [*specials, *(f"<extra_id_{i}>" for i in range(9, -1, -1))])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def bert(lowercase: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = n.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = p.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=lowercase)
    characters, merges = plain_merges(tokenizer, 600)
    pieces = [*characters, *(left + right for left, right in merges)]
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*specials, *pieces, *("##" + piece for piece in pieces)]
    tokenizer.model = models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]",
                                       max_input_chars_per_word=100 if lowercase else 12)
    add(tokenizer, specials)
    ids = [(token, tokenizer.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ids)
    return tokenizer


def word_level() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = n.Sequence([n.Nmt(), n.NFKD(), n.StripAccents(), n.Lowercase(), n.Strip(), n.Replace(Regex(r"\d"), "0")])
    tokenizer.pre_tokenizer = p.Whitespace()
    train(tokenizer, 600, False, special_tokens=["[UNK]", "<s>"])
    return tokenizer


def openai_gpt() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = n.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = p.BertPreTokenizer()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    characters, merges = plain_merges(tokenizer, 500)
    doubled = [pair for left, right in merges for pair in ((left, right), (left, right + "</w>"))]
    words = ["<unk>", *(character + end for end in ("", "</w>") for character in characters), *dict.fromkeys(map("".join, doubled))]
    tokenizer.model = models.BPE({word: i for i, word in enumerate(words)}, doubled, unk_token="<unk>", end_of_word_suffix="</w>")
    add(tokenizer, ["<unk>"])
    return tokenizer


def continued() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = n.NFD()
    tokenizer.pre_tokenizer = p.WhitespaceSplit()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    characters, merges = plain_merges(tokenizer, 500)
    doubled = [pair for left, right in merges for pair in ((left, "##" + right), ("##" + left, "##" + right))]
    merged = dict.fromkeys(left + right[2:] for left, right in doubled)
    words = ["<unk>", *(begin + character for begin in ("", "##") for character in characters), *merged]
    tokenizer.model = models.BPE({word: i for i, word in enumerate(words)}, doubled, unk_token="<unk>", fuse_unk=True,
                                 continuing_subword_prefix="##")
    add(tokenizer, ["<unk>"])
    return tokenizer


def steps(pre: p.PreTokenizer, normalizer: n.Normalizer | None = None, decoder: decoders.Decoder | None = None) -> Tokenizer:
    """Merges that know no pieces, so that every cut shows in the tokens."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    train(tokenizer, 800, False, special_tokens=["<unk>"], max_token_length=6)
    tokenizer.pre_tokenizer = pre
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoder or decoders.Fuse()
    return tokenizer


FAMILIES: dict[str, Callable[[], Tokenizer]] = {
    "gpt2": lambda: byte_level(gpt2_bytes()),
    "gptj": lambda: byte_level(gpt2_bytes(), ["<|endoftext|>", *(f"<|extratoken_{i}|>" for i in range(1, 20))]),
    "phi2": with_space_runs,
    "gpt-neox": lambda: with_space_runs(n.NFC()),
    "opt": opt,
    "roberta": roberta,
    "llama2": lambda: sentencepiece([], prefix()),
    "mistral": lambda: sentencepiece(["[INST]", "[/INST]"], None, p.Metaspace(prepend_scheme="first", split=False)),
    "phi3": phi3,
    "gemma": gemma,
    "llama3": lambda: byte_level(behind(LLAMA3_SPLIT), ["<|begin_of_text|>", "<|eot_id|>"], None, True, "<|begin_of_text|>"),
    "olmo2": lambda: byte_level(behind(LLAMA3_SPLIT), ["<|endoftext|>", "<|im_start|>"]),
    "qwen3": qwen3,
    "stablelm2": lambda: byte_level(behind(QWEN2_SPLIT), CHATML, n.NFC()),
    "tekken": lambda: byte_level(behind(TEKKEN_SPLIT), ["<s>", "</s>", "[INST]"], None, True, "<s>"),
    "gpt-oss": lambda: byte_level(behind(O200K_SPLIT), ["<|startoftext|>", "<|endoftext|>", "<|channel|>"]),
    "gpt-4o": removed_inverted,
    "deepseek-llm": lambda: byte_level(p.Sequence([*map(split, DEEPSEEK_LLM_SPLITS), p.Digits(individual_digits=True), plain_bytes()])),
    "deepseek-v3": lambda: byte_level(behind(*DEEPSEEK3_SPLITS), ["<｜begin▁of▁sentence｜>"], n.Sequence([]), bos="<｜begin▁of▁sentence｜>"),
    "bloom": lambda: byte_level(behind(BLOOM_SPLIT), ["<unk>", "<s>", "</s>", "<pad>"]),
    "falcon": falcon,
    "starcoder2": lambda: byte_level(p.Sequence([p.Digits(individual_digits=True), gpt2_bytes()])),
    "cohere": lambda: byte_level(p.Sequence([p.Digits(individual_digits=True), gpt2_bytes()]), ["<BOS_TOKEN>"], n.NFC(), bos="<BOS_TOKEN>"),
    "byte-normalizer": byte_normalizer,
    "t5": lambda: unigram(False),
    "unigram-bytes": lambda: unigram(True),
    "bert": lambda: bert(True),
    "bert-cased": lambda: bert(False),
    "word-level": word_level,
    "openai-gpt": openai_gpt,
    "continued": continued,
    # The table of scripts in tokenizers is older than this character.
    "steps-scripts": lambda: steps(p.UnicodeScripts(), n.Sequence([n.NFKC(), n.Replace("\U0001f9d1", "")])),
    "steps-previous": lambda: steps(p.Sequence([p.Punctuation("merged_with_previous"), p.Digits(False)]), n.Strip(),
                                    decoders.Replace("a", "")),
    "steps-next": lambda: steps(p.Sequence([p.CharDelimiterSplit("e"), p.Split(" ", "merged_with_next"), p.FixedLength(5)]), n.Lowercase()),
    "steps-contiguous": lambda: steps(p.Split(Regex(r"\w"), "contiguous", invert=True), n.StripAccents(), decoders.Strip("e", 0, 1)),
    "steps-inverted": lambda: steps(p.Split(Regex(r"[^\S\n]|\d+"), "merged_with_previous", invert=True),
                                    n.BertNormalizer(False, True, True, False), decoders.Sequence([
                                        decoders.Fuse(), decoders.Replace(Regex("[aeiou]+"), "_"), decoders.Strip("_", 1, 0)])),
    "steps-ctc": lambda: steps(p.Whitespace(), n.Nmt(), decoders.CTC(pad_token="<unk>", word_delimiter_token="o")),
}
