// Which token ids end a reply: what the configuration names, and the end-of-turn token that the chat template writes.
import { isObject } from "./json.ts"
import type { TokenizerSource } from "./opened-model.ts"

/** Tokens that end a turn in templates known so far. They count only where the template writes them and they are special. */
const endOfTurn = [
  "<|im_end|>",
  "<|eot_id|>",
  "<|eom_id|>",
  "<|end|>",
  "<|eot|>",
  "<|end_of_turn|>",
  "<end_of_turn>",
  "<|endofturn|>",
  "</s>",
]

export function stopTokens(configs: (Record<string, unknown> | null)[], tokenizer: TokenizerSource | null, vocabSize: number): number[] {
  const ids = new Set(configs.flatMap((config) => idsOf(config?.eos_token_id)))
  if (tokenizer) {
    const end = textOf(tokenizer.config.eos_token)
    if (end !== null) add(ids, addedId(tokenizer.json, end) ?? vocabularyId(tokenizer.json, end))
    for (const token of endOfTurn) {
      if (tokenizer.chatTemplate?.includes(token)) add(ids, addedId(tokenizer.json, token, true))
    }
  }
  return [...ids].filter((id) => Number.isInteger(id) && id >= 0 && id < vocabSize).sort((a, b) => a - b)
}

function add(ids: Set<number>, id: number | undefined): void {
  if (id !== undefined) ids.add(id)
}

function idsOf(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((id) => typeof id === "number")
}

/** A token is given as text or as an object with its content. */
function textOf(token: unknown): string | null {
  const text = isObject(token) ? token.content : token
  return typeof text === "string" ? text : null
}

function addedId(json: Record<string, unknown>, content: string, mustBeSpecial = false): number | undefined {
  const { added_tokens: added } = json
  if (!Array.isArray(added)) return undefined
  const token = added.find((entry) => isObject(entry) && entry.content === content && (entry.special === true || !mustBeSpecial))
  return typeof token?.id === "number" ? token.id : undefined
}

/** BPE and WordPiece map text to id; Unigram lists [text, score]. */
function vocabularyId(json: Record<string, unknown>, content: string): number | undefined {
  const vocabulary = isObject(json.model) ? json.model.vocab : undefined
  if (Array.isArray(vocabulary)) {
    const id = vocabulary.findIndex((entry) => Array.isArray(entry) && entry[0] === content)
    return id < 0 ? undefined : id
  }
  if (!isObject(vocabulary) || !Object.hasOwn(vocabulary, content)) return undefined
  const id = vocabulary[content]
  return typeof id === "number" ? id : undefined
}
