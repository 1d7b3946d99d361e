"""Our own prose to train the tiny tokenizers on, and the mixed lines on which tokenizers are compared."""

from __future__ import annotations

CORPUS = """\
A small model is a table of numbers and a rule for reading it. The rule says: take the words so far, look at each of
them, and guess the next one. The numbers are weights. When a weight is stored in four bits, sixteen values must be
enough for it, and a scale for each block of sixty-four weights says how large they are.
Nibble opens a folder of weights, reads the header, and maps the file into memory. It does not copy what it can read in
place. The first token should come in less than a second; the next ones should come as fast as the memory can be read.
What is the capital of France? Paris is the capital of France. What is the capital of Italy? Rome is the capital of
Italy. The river runs through the city, and the city stands on both sides of the river.
You can stop an answer, change the question and ask again. The program keeps the conversation, and it is there when you
come back. If the file is broken, the program says which file, which tensor and which number is wrong.
def add(first, second):
    return first + second
for (let i = 0; i < tokens.length; i++) { total += tokens[i]; }
if (value == null) { return 0; } else { return value * 2; }
The year 2024 had 366 days; 1999 had 365. Three times seven is 21, and 3.14159 is close to pi.
They said that it was the best of the things that they had seen there. She would have wanted another one.
Every sentence ends. Every line ends too. The thing that matters is that the same text gives the same tokens.
"""

# Lines for the comparison. Each is one input; escapes are real characters.
LINES: list[str] = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n ", "\n \n", "a", " a", "a ", "  a  ", "a\n", "\na", "\t\ta",
    "Hello", "Hello world", "hello world!", "Hello,   world", " Hello world ", "HELLO WORLD", "hElLo", "Hello\nworld",
    "What is the capital of France?", "The capital of France is Paris.", "the the the the", "thethethe",
    "It's what they've said; I'd say we'll see, won't we?", "IT'S WE'LL THEY'RE I'M YOU'D", "don’t ‘quote’ “me” — please…",
    "'s 't 're 've 'm 'll 'd", "rock'n'roll o'clock", "a-b-c a_b_c a.b.c a/b/c", "e.g. i.e. etc. vs. Mr. Dr.",
    "0", "7", "42", "123", "1234", "12345678901234567890", "3.14159", "-1.5e-10", "1,000,000.50", "0xDEADBEEF 0b1010",
    "2024-02-29T12:34:56Z", "192.168.0.1:8080", "$9.99 €5 £3 ¥100", "50% ±3 ×2 ÷4", "½ ¼ ² ³ ₂", "Ⅷ ⅳ ①②③", "１２３ ４５",
    "٠١٢٣٤٥٦٧٨٩ ०१२३", "1st 2nd 3rd 4th", "room 101b", "v1.2.3-rc.4+build.5", "A1B2C3", "10km/h 5kg",
    "def add(first, second):\n    return first + second\n", "    indented four", "\tindented tab", "        eight", "if(x){y();}",
    "for (let i = 0; i < n; i++) { a[i] += b[i]; }", "#include <vector>\nint main() { return 0; }",
    "SELECT * FROM models WHERE format = 'nf4' AND bits < 5;", "<div class=\"a\">&amp;</div>", "{\"key\": [1, 2, null, true]}",
    "x = {'a': 1}  # comment", "// a comment\n/* and another */", "a->b && c || !d", "i+++++j", "~/.config/nibble/*.json",
    "C:\\Users\\name\\file.txt", "https://example.org/path?q=1&r=a%20b#frag", "user.name+tag@example.org", "$HOME ${PATH} $(pwd)",
    "```python\nprint(1)\n```", "| a | b |\n|---|---|\n| 1 | 2 |", "**bold** _it_ `code` ~~no~~", "- one\n- two\n  - three", "\\n is not \n",
    "((((()))))", "!!!???...", "......", "----------", "==========", "####", "____", "~`!@#$%^&*()_+-={}|[]\\:\";'<>?,./",
    "é", "e\u0301", "café cafe\u0301", "naïve façade Zürich", "Ångström A\u030angstro\u0308m", "straße STRASSE ẞ", "ÆØÅ æøå", "ﬁ ﬂ ﬀ",
    "İstanbul ıI", "čšž ĆŠŽ łŁ őű", "Ελληνικά γράμματα", "Привет, мир!", "Съешь ещё этих булок", "Українська ґ",
    "你好，世界！", "今天天气很好。", "巴黎是法国的首都", "日本語のテキスト", "ひらがなカタカナ漢字", "ｶﾀｶﾅ ＡＢＣ", "한국어 텍스트", "\u1112\u1161\u11ab",
    "中文English混合123", "這是繁體字", "𠮷野家 𝒳𝓎𝓏", "עברית שלום", "مرحبا بالعالم", "العَرَبِيَّة", "فارسی می‌خواهم", "नमस्ते दुनिया", "ภาษาไทยไม่มีช่องว่าง",
    "தமிழ் ไทย ქართული հայերեն", "\u202bright to left\u202c and back", "abc \u05d0\u05d1\u05d2 def 123",
    "😀", "😀😃😄", "👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈", "🇫🇷🇩🇪", "I ❤️ U", "☃ ☕ ★ ♥", "a😀b", "emoji 🎉 in the middle", "⌘⇧⌥ ← → ↑ ↓", "∑∫√∞ ≤ ≥ ≠ ∈ ℝ", "α+β=γ",
    "\u00a0no\u00a0break\u00a0", "thin\u2009space em\u2003space", "zero\u200bwidth\u200djoin\ufeffbom", "soft\u00adhyphen", "line\u2028sep\u2029para", "\u3000全角空白\u3000",
    "\x00", "a\x00b", "\x01\x02\x03\x1b[31mred\x1b[0m", "\x7f\x80\x9f", "\x0b\x0c\x85", "bell\x07", "\ufffd\ufffe", "\ue000 private",
    "a" * 40, "ab" * 30, "x" * 7 + " " + "y" * 9, " " * 17 + "end", "word " * 12, "\n" * 5 + "x", "a \n b \n\n c", "trailing \t \n",
    "Donaudampfschifffahrtsgesellschaft", "pneumonoultramicroscopic", "antidisestablishmentarianism", "tokentokentoken",
    "<s>", "</s>", "<unk>", "<|im_start|>user\nhi<|im_end|>", "<|endoftext|>", "<|begin_of_text|>x", "a<s>b</s>c", " <s> x </s> ", "<0x41>", "▁ ▁▁a",
    "<|im_start|", "[INST] hi [/INST]", "Ġ Ċ âĢĻ", "[UNK] [CLS] <pad>", "The quick brown fox. Jumps? Over! The: lazy; dog",
]
