// Tokenizers of the golden cases, as they are and damaged.
import { readFileSync } from "node:fs"
import { createTokenizer, type Tokenizer } from "../../../../main/engine/tokenizer/tokenizer.ts"
import type { TokenizerSource } from "../../../../main/models/opened-model.ts"

export interface Golden {
  texts: string[]
  tokenizers: {
    kind: string
    folder: string
    with_special: { before: number[]; after: number[] }
    ids: number[][]
    decoded: (string | null)[]
    decoded_plain: (string | null)[]
  }[]
}

export const golden: Golden = JSON.parse(readFileSync("test/golden/tokenizers/cases.json", "utf8"))

export function sourceOf(folder: string): TokenizerSource {
  const read = (name: string) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"))
  return { json: read("tokenizer.json"), config: read("tokenizer_config.json"), chatTemplate: null }
}

export const folderOf = (kind: string) => golden.tokenizers.find((each) => each.kind === kind)!.folder

/** tokenizer.json, open to any damage. */
export interface Editable {
  added_tokens: { id: unknown; content: unknown }[]
  normalizer: unknown
  pre_tokenizer: { type?: unknown; pretokenizers?: { type: unknown }[] }
  post_processor: unknown
  decoder: unknown
  model: { type?: unknown; vocab: Record<string, unknown>; merges?: unknown[] }
}
export type Change = (json: Editable) => unknown

/** The tokenizer of a kind, its tokenizer.json changed. */
export function changed(kind: string, change: Change, config: Record<string, unknown> = {}): Tokenizer {
  const source = sourceOf(folderOf(kind))
  change(source.json as unknown as Editable)
  return createTokenizer({ ...source, config })
}
