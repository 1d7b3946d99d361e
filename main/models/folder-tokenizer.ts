// The tokenizer of a model folder: tokenizer.json or what older models have in its place, tokenizer_config.json and the chat
// template, wherever it is kept.
import { join } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint, readOptionalText } from "./bounded-file.ts"
import { isObject, parseJsonObject } from "./json.ts"
import { readOlderTokenizer } from "./older-tokenizer-files.ts"
import type { TokenizerSource } from "./opened-model.ts"

const maxTokenizerBytes = 100_000_000
const maxTemplateBytes = 1 << 20

/** Null: there is none. Throws unsupported, with its name, for a form that is not read. */
export async function readTokenizer(folder: string): Promise<TokenizerSource | null> {
  const path = join(folder, "tokenizer.json")
  const text = await readOptionalText(path, maxTokenizerBytes)
  const config = (await readObject(folder, "tokenizer_config.json")) ?? {}
  const read =
    text === null ? await readOlderTokenizer(folder, config) : { json: parseJsonObject(text, path, { allowsDuplicates: true }), config }
  if (read === null) return null
  if (!isObject(read.json.model)) throw new AppError("bad_file", `${path} is no tokenizer: it has no "model".`, damagedHint)
  return { ...read, chatTemplate: await readChatTemplate(folder, read.config) }
}

/** The file of its own wins, as in transformers; then chat_template.json of processors; then tokenizer_config.json. */
async function readChatTemplate(folder: string, config: Record<string, unknown>): Promise<string | null> {
  const own = await readOptionalText(join(folder, "chat_template.jinja"), maxTemplateBytes)
  if (own !== null) return own
  const processor = await readObject(folder, "chat_template.json")
  if (typeof processor?.chat_template === "string") return processor.chat_template
  const { chat_template: template } = config
  if (typeof template === "string") return template
  if (!Array.isArray(template)) return null
  const named = template.filter((entry) => isObject(entry) && typeof entry.template === "string")
  return (named.find((entry) => entry.name === "default") ?? null)?.template ?? null
}

async function readObject(folder: string, name: string): Promise<Record<string, unknown> | null> {
  const path = join(folder, name)
  const text = await readOptionalText(path, maxTokenizerBytes)
  return text === null ? null : parseJsonObject(text, path, { allowsDuplicates: true })
}
