// tokenizer.json as it is checked before anything is built from it. Only what language models use is known here; every other
// type is refused by name. The large tables are checked where they are built: vocabulary and merges.
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"

export function badTokenizer(detail: string, cause?: unknown): AppError {
  return new AppError("bad_file", `tokenizer.json: ${detail}`, "Get the model's tokenizer files again.", { cause })
}

/** Ids above this are refused: no vocabulary comes near it, and tables are allocated by the largest id. */
export const maxTokenId = 2 ** 22 - 1

/** Longer than any published pattern; translating one takes time that grows with the square of its length. */
const maxPatternLength = 8192
const maxSteps = 64

const Id = z.int().min(0).max(maxTokenId)
const Text = z
  .string()
  .max(65_536)
  .refine((text) => text.isWellFormed(), "not valid Unicode")
const Switch = z.boolean().nullish()
/** Short, because it can be written for every character of a text. */
const Replacement = Text.max(256)

const Pattern = z.union([z.object({ String: Text }), z.object({ Regex: z.string().min(1).max(maxPatternLength) })])
export type Pattern = z.infer<typeof Pattern>

const Normalizer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("Prepend"), prepend: Replacement }),
  z.object({ type: z.literal("Replace"), pattern: Pattern, content: Replacement }),
  z.object({ type: z.literal("Strip"), strip_left: z.boolean(), strip_right: z.boolean() }),
  z.object({ type: z.enum(["NFC", "NFD", "NFKC", "NFKD"]) }),
  z.object({ type: z.enum(["Lowercase", "StripAccents", "Precompiled"]) }),
])
export type Normalizer = z.infer<typeof Normalizer>

const Behavior = z.enum(["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"])
export type Behavior = z.infer<typeof Behavior>

const PreTokenizer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("Split"), pattern: Pattern, behavior: Behavior, invert: Switch }),
  z.object({ type: z.literal("Digits"), individual_digits: Switch }),
  z.object({ type: z.literal("ByteLevel"), add_prefix_space: z.boolean().default(true), use_regex: z.boolean().default(true) }),
  z.object({
    type: z.literal("Metaspace"),
    replacement: Text.refine((text) => [...text].length === 1, "must be one character").default("▁"),
    prepend_scheme: z.enum(["always", "first", "never"]).nullish(),
    // Files of before 2024 have this in place of prepend_scheme.
    add_prefix_space: Switch,
    split: z.boolean().nullish(),
  }),
])
export type PreTokenizer = z.infer<typeof PreTokenizer>

const Decoder = z.discriminatedUnion("type", [
  z.object({ type: z.enum(["ByteLevel", "ByteFallback", "Fuse"]) }),
  z.object({ type: z.literal("Replace"), pattern: Pattern, content: Replacement }),
  z.object({
    type: z.literal("Strip"),
    content: Text.refine((text) => [...text].length === 1, "must be one character"),
    start: z.int().min(0).max(1000),
    stop: z.int().min(0).max(1000),
  }),
  z.object({
    type: z.literal("Metaspace"),
    replacement: Text.refine((text) => [...text].length === 1, "must be one character").default("▁"),
    prepend_scheme: z.enum(["always", "first", "never"]).nullish(),
    add_prefix_space: Switch,
  }),
])
export type Decoder = z.infer<typeof Decoder>

const TemplateItem = z.union([
  z.object({ SpecialToken: z.object({ id: z.string() }) }),
  z.object({ Sequence: z.object({ id: z.string() }) }),
])
const PostProcessor = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ByteLevel") }),
  z.object({
    type: z.literal("TemplateProcessing"),
    single: z.array(TemplateItem).max(maxSteps),
    special_tokens: z.record(z.string(), z.object({ ids: z.array(Id).max(maxSteps) })),
  }),
  z.object({ type: z.enum(["BertProcessing", "RobertaProcessing"]), sep: z.tuple([z.string(), Id]), cls: z.tuple([z.string(), Id]) }),
])
export type PostProcessor = z.infer<typeof PostProcessor>

const AddedToken = z.object({
  id: Id,
  content: Text.min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
})
export type AddedToken = z.infer<typeof AddedToken>

const Model = z.object({
  type: z.string().optional(),
  vocab: z.unknown().optional(),
  merges: z.unknown().optional(),
  unk_token: Text.nullish(),
  unk_id: Id.nullish(),
  byte_fallback: Switch,
  fuse_unk: Switch,
  ignore_merges: Switch,
  dropout: z.number().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
})
export type Model = z.infer<typeof Model>

export interface TokenizerJson {
  addedTokens: AddedToken[]
  normalizers: Normalizer[]
  preTokenizers: PreTokenizer[]
  model: Model
  postProcessors: PostProcessor[]
  /** null: the file names none, which is not the same as an empty sequence. */
  decoders: Decoder[] | null
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const type = (value as { type?: unknown } | null)?.type
  if (issue.code === "invalid_union" && issue.path[0] === "type" && typeof type === "string") {
    throw badTokenizer(`${where}: the type "${type.slice(0, 60)}" is not supported`)
  }
  throw badTokenizer(`${[where, ...issue.path].join(".")}: ${issue.message}`, result.error)
}

/** The steps of a part in their order; sequences (also in sequences) are opened. */
function steps<T>(schema: z.ZodType<T>, value: unknown, part: string, children: string): T[] {
  const found: T[] = []
  function visit(node: unknown, where: string, depth: number): void {
    if (node === null || node === undefined) return
    if ((node as { type?: unknown }).type === "Sequence") {
      const list = (node as Record<string, unknown>)[children]
      if (!Array.isArray(list)) throw badTokenizer(`${where}.${children} is not a list`)
      if (depth > 8) throw badTokenizer(`${part}: sequences lie more than 8 deep in each other`)
      for (const [i, child] of list.entries()) visit(child, `${where}.${children}.${i}`, depth + 1)
      return
    }
    found.push(parsed(schema, node, where))
    if (found.length > maxSteps) throw badTokenizer(`${part} has more than ${maxSteps} steps`)
  }
  visit(value, part, 0)
  return found
}

export function readTokenizerJson(json: Record<string, unknown>): TokenizerJson {
  if (typeof json.model !== "object" || json.model === null) throw badTokenizer("there is no model in it")
  const added = json.added_tokens ?? []
  if (!Array.isArray(added)) throw badTokenizer("added_tokens is not a list")
  return {
    addedTokens: added.map((token, i) => parsed(AddedToken, token, `added_tokens.${i}`)),
    normalizers: steps(Normalizer, json.normalizer, "normalizer", "normalizers"),
    preTokenizers: steps(PreTokenizer, json.pre_tokenizer, "pre_tokenizer", "pretokenizers"),
    model: parsed(Model, json.model, "model"),
    postProcessors: steps(PostProcessor, json.post_processor, "post_processor", "processors"),
    decoders: json.decoder ? steps(Decoder, json.decoder, "decoder", "decoders") : null,
  }
}
