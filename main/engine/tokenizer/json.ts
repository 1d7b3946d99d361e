// tokenizer.json as it is checked before anything is built from it; a type that is not known is refused by name. The large
// tables are checked where they are built: vocabulary and merges.
import { z } from "zod"
import { AppError } from "../../../shared/schema/error.ts"
import { Decoder, Id, maxSteps, Normalizer, PostProcessor, PreTokenizer, Switch, Text } from "./steps.ts"

export function badTokenizer(detail: string, cause?: unknown): AppError {
  return new AppError("bad_file", `tokenizer.json: ${detail}`, "Get the model's tokenizer files again.", { cause })
}

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
  continuing_subword_prefix: Text.nullish(),
  end_of_word_suffix: Text.nullish(),
  max_input_chars_per_word: z.int().min(0).nullish(),
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
