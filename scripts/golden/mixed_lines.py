"""A few thousand short lines of mixed text, made from one seed: words of many scripts, code, numbers, emoji, right-to-left text,
combining and control characters, white space, and single characters from all over Unicode."""

from __future__ import annotations

import random
import unicodedata

SEED = 4
COUNT = 2400

WORDS = (
    "the The THE and of to in is that it was for on are as with his they at be this from have or by one had not but what all were when "
    "don't It's we'LL they'Re I'M you'd 'S it’s naïve café cafe\u0301 Zürich straße ŁÓDŹ İstanbul ﬁne ½ x² H₂O N° "
    "la une est pour dans être où garçon der die und nicht über schön não você coração año niño être l'été d'une "
    "Привет мир это не как что Україна ещё Ελλάδα και είναι ΟΔΟΣ Σίσυφος "
    "שלום עולם מה לא ספר مرحبا العالم في من السلام عَلَيْكُم فارسی می‌خواهم اردو "
    "你好 世界 我们 的 是 不 中文 文字 測試 日本語 です こんにちは カタカナ ひらがな ーー 한국어 안녕하세요 대한민국 "
    "नमस्ते दुनिया क्षत्रिय हिन्दी বাংলা தமிழ் తెలుగు ไทย ภาษาไทย สวัสดี မြန်မာ ភាសា ລາວ አማርኛ ქართული Հայերեն ᏣᎳᎩ ᠮᠣᠩᠭᠣᠯ བོད་"
).split()
CODE = (
    "def f(x):|return x+1|    if a == b:|\tfor i in range(10):|x = {'k': [1, 2]}|#include <stdio.h>|int *p = &a[i++];|a->b && !c || d|"
    "std::vector<int> v;|const f = (x) => x ** 2;|SELECT * FROM t WHERE id=7;|</div>|<p class=\"x\">&amp;|// note|/* why */|"
    "https://a.example/b?c=d&e=%20f|C:\\Temp\\x.txt|user@host.example|$HOME/${X}|`code`|```py|\\n\\t\\\\|0xFF_u8|1e-5f|a_b-c.d|fooBarBaz|"
    "HTTPServer|iPhone15Pro|v1.2.3-rc1|\"quoted\"|'single'|(((|]]]|{{}}|=>|!==|<<=|...|---|***|~~~|@@|##|%d%s"
).split("|")
NUMBERS = "0 7 42 365 1234 98765 1000000 3.14159 -1.5e10 1,234,567.89 ½ ²³ ١٢٣٤ १२३ 一二三 ⅧⅣ ①② １２３ 12:34 2024-02-29 50% €9.99".split()
EMOJI = (
    "😀 😂 👍🏽 👩‍👩‍👧‍👦 👨🏿‍💻 🇫🇷🇩🇪 ❤️ ☕ ✨ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ 🧑‍🚀 🤷‍♀️ 🔥🔥🔥 ™ ©️"
).split()
SPACES = [" ", " ", " ", " ", "  ", "   ", "    ", "\t", "\t\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\u00a0", "\u3000", "\u2009", "\u200b",
          "\ufeff", "\u2028", "\u0085", "\v", "\f", "▁", ""]
CONTROLS = [chr(code) for code in (0, 1, 2, 7, 8, 27, 31, 127, 0x80, 0x8F, 0x9F, 0xAD, 0x200C, 0x200D, 0x200E, 0x200F,
                                     0x202E, 0x2066, 0xFFFD, 0xE000)]
MARKS = ["\u0301", "\u0308", "\u0323", "\u20dd", "\u093e", "\u0951", "\u064b", "\u05b0", "\u0e31", "\u3099", "\u1161",
         "\u11a8", "\ufe0f", "\u200d"]
SPECIALS = ["<s>", "</s>", "<unk>", "<pad>", "<|endoftext|>", "<|im_start|>", "<|user|>", "[INST]", "[CLS]", "[MASK]", "<0x0A>", "<bos>",
            "<think>", "<extra_id_0>", "##a", "</w>"]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¿«»„“”‘’…–—。、「」・،؟।§¶†‰′″‹›※⁇€£¥≠≤∞∑√→←▲●★♥")


def any_character(random_source: random.Random) -> str:
    """Assigned for so long that all Unicode tables agree about it."""
    while True:
        limit = 0x250 if random_source.random() < 0.2 else 0x10000 if random_source.random() < 0.85 else 0x2FA20
        character = chr(random_source.randrange(limit))
        if unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Cs", "Co"):
            return character


def mixed_lines() -> list[str]:
    source = random.Random(SEED)
    kinds = [(WORDS, 50), (CODE, 10), (NUMBERS, 8), (EMOJI, 6), (PUNCTUATION, 10), (CONTROLS, 3), (MARKS, 3), (SPECIALS, 2), (None, 8)]
    lines = []
    for _ in range(COUNT):
        pieces, weights = zip(*kinds)
        # Most lines are mostly of one kind.
        favorite = source.randrange(len(kinds))
        chosen = [weight * (6 if i == favorite else 1) for i, weight in enumerate(weights)]
        line = source.choice(SPACES) if source.random() < 0.2 else ""
        for _ in range(source.randint(1, 7)):
            kind = source.choices(pieces, chosen)[0]
            line += source.choice(kind) if kind else any_character(source)
            line += source.choice(SPACES) if source.random() < 0.75 else ""
        lines.append(line)
    return lines
