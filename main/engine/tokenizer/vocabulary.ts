// Ids and texts of the tokens: the model's vocabulary and the tokens added to it, checked against each other.
import { z } from "zod"
import { type AddedToken, badTokenizer, type Model } from "./json.ts"
import { maxTokenId } from "./steps.ts"

export interface Vocabulary {
  /** The model's own tokens. */
  ids: Map<string, number>
  /** Tokens that only added_tokens lists. */
  added: Map<string, number>
  /** By id; undefined where no token has that id. */
  texts: (string | undefined)[]
}

/** How many ids may be unused besides as many as are used: some published models leave a few out. */
const allowedHoles = 1024

export function readVocabulary(model: Model, added: AddedToken[]): Vocabulary {
  const vocabulary: Vocabulary = { ids: new Map(), added: new Map(), texts: [] }
  for (const [text, id] of entriesOf(model.vocab)) add(vocabulary, "ids", text, id)
  for (const token of added) if (idOf(vocabulary, token.content) !== token.id) add(vocabulary, "added", token.content, token.id)
  const used = vocabulary.ids.size + vocabulary.added.size
  if (used === 0) throw badTokenizer("model.vocab is empty")
  const holes = vocabulary.texts.length - used
  if (holes > used + allowedHoles) {
    throw badTokenizer(`${holes} of the ids up to ${vocabulary.texts.length - 1} have no token; the vocabulary is damaged`)
  }
  return vocabulary
}

export function idOf({ ids, added }: Vocabulary, text: string): number | undefined {
  return added.get(text) ?? ids.get(text)
}

function* entriesOf(vocab: unknown): Generator<[string, unknown]> {
  if (typeof vocab !== "object" || vocab === null) throw badTokenizer("model.vocab is missing")
  if (!Array.isArray(vocab)) return yield* Object.entries(vocab)
  // Unigram: pairs of piece and score in the order of their ids.
  for (const [id, piece] of vocab.entries()) {
    if (!Array.isArray(piece) || typeof piece[0] !== "string" || typeof piece[1] !== "number") {
      throw badTokenizer(`model.vocab.${id} is not a pair of text and score`)
    }
    yield [piece[0], id]
  }
}

function add(vocabulary: Vocabulary, kind: "ids" | "added", text: string, id: unknown): void {
  const { texts } = vocabulary
  const where = kind === "ids" ? "model.vocab" : "added_tokens"
  const shown = JSON.stringify(text.slice(0, 60))
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > maxTokenId) {
    throw badTokenizer(`${where}: the id of ${shown} is ${JSON.stringify(id)?.slice(0, 40)}, not a whole number from 0 to ${maxTokenId}`)
  }
  if (!text.isWellFormed()) throw badTokenizer(`${where}: the text of token ${id} is not valid Unicode`)
  const holder = texts[id]
  if (holder !== undefined) throw badTokenizer(`${where}: ${shown} and ${JSON.stringify(holder.slice(0, 60))} both have the id ${id}`)
  const other = idOf(vocabulary, text)
  if (other !== undefined) throw badTokenizer(`${where}: ${shown} has two ids, ${other} and ${id}`)
  vocabulary[kind].set(text, id)
  texts[id] = text
}

const Listed = z.object({
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
})
const Named = z.union([z.string().min(1), Listed])
const named = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"]

/**
 * The added tokens of tokenizer.json and those that only tokenizer_config.json declares: transformers recognizes both.
 * A declaration that contradicts the vocabulary or has another form is left out, as it would get an id that no weight has.
 */
export function allAddedTokens(added: AddedToken[], config: Record<string, unknown>, vocabulary: Vocabulary): AddedToken[] {
  const byContent = new Map(added.map((token) => [token.content, token]))
  function declare(value: unknown, special: boolean): void {
    const read = Named.safeParse(value)
    if (!read.success) return
    const token = typeof read.data === "string" ? Listed.parse({ content: read.data }) : read.data
    const id = idOf(vocabulary, token.content)
    if (id === undefined) return
    const known = byContent.get(token.content) ?? { ...token, id }
    byContent.set(token.content, { ...known, special: known.special || token.special || special })
  }
  const decoder = config.added_tokens_decoder
  if (typeof decoder === "object" && decoder !== null) for (const value of Object.values(decoder)) declare(value, false)
  for (const name of named) declare(config[name], true)
  for (const more of [config.additional_special_tokens, config.extra_special_tokens]) {
    if (typeof more === "object" && more !== null) for (const value of Object.values(more)) declare(value, true)
  }
  return [...byContent.values()]
}
