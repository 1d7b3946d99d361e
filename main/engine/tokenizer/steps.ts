// The steps around a model in tokenizer.json, as they are checked before anything is built from them: normalizers, pre-tokenizers,
// decoders and post-processors. All types that Hugging Face's tokenizers 0.23 reads are known here.
import { z } from "zod"

/** Ids above this are refused: no vocabulary comes near it, and tables are allocated by the largest id. */
export const maxTokenId = 2 ** 22 - 1
export const maxSteps = 64

/** Longer than any published pattern; translating one takes time that grows with the square of its length. */
const maxPatternLength = 8192
/** The map of a normalizer, in base64: the largest published one has 320 kB. */
const maxMapLength = 8 << 20

export const Id = z.int().min(0).max(maxTokenId)
export const Text = z
  .string()
  .max(65_536)
  .refine((text) => text.isWellFormed(), "not valid Unicode")
export const Switch = z.boolean().nullish()
/** Short, because it can be written for every character of a text. */
const Replacement = Text.max(256)
const Character = Text.refine((text) => [...text].length === 1, "must be one character")
const Scheme = z.enum(["always", "first", "never"]).nullish()

const Pattern = z.union([z.object({ String: Text }), z.object({ Regex: z.string().min(1).max(maxPatternLength) })])
export type Pattern = z.infer<typeof Pattern>

export const Normalizer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("Prepend"), prepend: Replacement }),
  z.object({ type: z.literal("Replace"), pattern: Pattern, content: Replacement }),
  z.object({ type: z.literal("Strip"), strip_left: z.boolean(), strip_right: z.boolean() }),
  z.object({ type: z.enum(["NFC", "NFD", "NFKC", "NFKD"]) }),
  z.object({ type: z.enum(["Lowercase", "StripAccents", "Nmt", "ByteLevel"]) }),
  z.object({ type: z.literal("Precompiled"), precompiled_charsmap: z.string().max(maxMapLength).nullish() }),
  z.object({
    type: z.literal("BertNormalizer"),
    clean_text: z.boolean().default(true),
    handle_chinese_chars: z.boolean().default(true),
    /** Not given: as `lowercase`. */
    strip_accents: Switch,
    lowercase: z.boolean().default(true),
  }),
])
export type Normalizer = z.infer<typeof Normalizer>

const Behavior = z.enum(["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"])
export type Behavior = z.infer<typeof Behavior>

export const PreTokenizer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("Split"), pattern: Pattern, behavior: Behavior, invert: Switch }),
  z.object({ type: z.literal("Digits"), individual_digits: Switch }),
  z.object({ type: z.literal("Punctuation"), behavior: Behavior.default("Isolated") }),
  z.object({ type: z.literal("CharDelimiterSplit"), delimiter: Character }),
  z.object({ type: z.literal("FixedLength"), length: z.int().min(1).max(65_536) }),
  z.object({ type: z.enum(["Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts"]) }),
  z.object({ type: z.literal("ByteLevel"), add_prefix_space: z.boolean().default(true), use_regex: z.boolean().default(true) }),
  z.object({
    type: z.literal("Metaspace"),
    replacement: Character.default("▁"),
    prepend_scheme: Scheme,
    // Files of before 2024 have this in place of prepend_scheme.
    add_prefix_space: Switch,
    split: z.boolean().nullish(),
  }),
])
export type PreTokenizer = z.infer<typeof PreTokenizer>

export const Decoder = z.discriminatedUnion("type", [
  z.object({ type: z.literal("Fuse") }),
  z.object({ type: z.enum(["ByteLevel", "ByteFallback"]) }),
  z.object({ type: z.literal("Replace"), pattern: Pattern, content: Replacement }),
  z.object({ type: z.literal("Strip"), content: Character, start: z.int().min(0).max(1000), stop: z.int().min(0).max(1000) }),
  z.object({ type: z.literal("WordPiece"), prefix: Replacement.default("##"), cleanup: z.boolean().default(true) }),
  z.object({ type: z.literal("BPEDecoder"), suffix: Replacement.default("</w>") }),
  z.object({
    type: z.literal("CTC"),
    pad_token: Replacement.default("<pad>"),
    word_delimiter_token: Replacement.default("|"),
    cleanup: z.boolean().default(true),
  }),
  z.object({ type: z.literal("Metaspace"), replacement: Character.default("▁"), prepend_scheme: Scheme, add_prefix_space: Switch }),
])
export type Decoder = z.infer<typeof Decoder>

const TemplateItem = z.union([
  z.object({ SpecialToken: z.object({ id: z.string() }) }),
  z.object({ Sequence: z.object({ id: z.string() }) }),
])
export const PostProcessor = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ByteLevel") }),
  z.object({
    type: z.literal("TemplateProcessing"),
    single: z.array(TemplateItem).max(maxSteps),
    special_tokens: z.record(z.string(), z.object({ ids: z.array(Id).max(maxSteps) })),
  }),
  z.object({ type: z.enum(["BertProcessing", "RobertaProcessing"]), sep: z.tuple([z.string(), Id]), cls: z.tuple([z.string(), Id]) }),
])
export type PostProcessor = z.infer<typeof PostProcessor>
