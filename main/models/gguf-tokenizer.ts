// The tokenizer in a GGUF file's metadata as the tokenizer.json and tokenizer_config.json that transformers would have for the
// model. Both are also written next to quantized weights, so Python must be able to load them.
import { AppError } from "../../shared/schema/error.ts"
import type { GgufValue } from "./gguf.ts"
import { preTokenizationOf } from "./gguf-pre-tokenizers.ts"
import type { TokenizerSource } from "./opened-model.ts"
import { bytePairParts, type SentencePieceParts, unigramParts } from "./sentencepiece-tokenizer.ts"
import { pieceTypes } from "./sentencepiece-tokenizer-file.ts"

type Metadata = Record<string, GgufValue>

const namedTokens = {
  bos_token: "bos_token_id",
  eos_token: "eos_token_id",
  unk_token: "unknown_token_id",
  pad_token: "padding_token_id",
} as const

function damaged(detail: string): AppError {
  return new AppError("bad_file", `The tokenizer in the GGUF metadata is damaged: ${detail}`, "Get the file again.")
}

/** Null: the file has no tokenizer. Throws unsupported, with its name, for a kind of tokenizer that is not built yet. */
export function tokenizerFromGguf(metadata: Metadata): TokenizerSource | null {
  const kind = metadata["tokenizer.ggml.model"]
  if (kind === undefined || kind === "none") return null
  if (kind !== "gpt2" && kind !== "llama" && kind !== "t5") {
    const supported = `Supported are "gpt2" (byte-level BPE), "llama" (SentencePiece's BPE) and "t5" (SentencePiece's unigram model).`
    throw new AppError("unsupported", `The GGUF tokenizer "${String(kind).slice(0, 60)}" is not supported.`, supported)
  }
  const isSentencePiece = kind !== "gpt2"
  const table = readTable(metadata)
  const named = readNamed(metadata, table.tokens)
  const parts = isSentencePiece ? sentencePieceParts(metadata, table, named) : byteLevelParts(metadata, table)
  const bos = named.bos_token !== undefined && flag(metadata, "add_bos_token", parts.addsBos) ? named.bos_token : null
  const eos = named.eos_token !== undefined && flag(metadata, "add_eos_token", kind === "t5") ? named.eos_token : null
  const added = addedTokens(table, named, isSentencePiece)
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    post_processor: postProcessor(table.tokens, bos, eos),
    decoder: parts.decoder,
    model: parts.model,
  }
  const template = metadata["tokenizer.chat_template"]
  const chatTemplate = typeof template === "string" && template !== "" ? template : null
  return { json, config: configOf(metadata, table.tokens, named, added, { bos, eos }, chatTemplate), chatTemplate }
}

interface TokenTable {
  tokens: string[]
  ids: Map<string, number>
  /** One per token; null where the file has none. */
  types: number[] | null
}

function readTable(metadata: Metadata): TokenTable {
  const tokens = stringList(metadata, "tokens").map((token, id) => (token === "" ? `[EMPTY_${id}]` : token))
  if (tokens.length === 0) throw damaged("tokenizer.ggml.tokens is empty.")
  const ids = new Map<string, number>()
  for (const [id, token] of tokens.entries()) {
    const other = ids.get(token)
    if (other !== undefined) throw damaged(`${JSON.stringify(token.slice(0, 60))} has two ids, ${other} and ${id}.`)
    ids.set(token, id)
  }
  return { tokens, ids, types: optionalNumbers(metadata, "token_type", tokens.length) }
}

function stringList(metadata: Metadata, name: string): string[] {
  const list = metadata[`tokenizer.ggml.${name}`]
  if (!Array.isArray(list)) throw damaged(`tokenizer.ggml.${name} is missing.`)
  const wrong = list.findIndex((entry) => typeof entry !== "string")
  if (wrong >= 0) throw damaged(`tokenizer.ggml.${name} has an entry that is no text, number ${wrong}.`)
  return list as string[]
}

function optionalNumbers(metadata: Metadata, name: string, length: number): number[] | null {
  const list = metadata[`tokenizer.ggml.${name}`]
  if (list === undefined) return null
  if (!Array.isArray(list) || list.some((entry) => typeof entry !== "number" || !Number.isFinite(entry))) {
    throw damaged(`tokenizer.ggml.${name} is not a list of numbers.`)
  }
  if (list.length !== length) throw damaged(`tokenizer.ggml.${name} has ${list.length} entries for ${length} tokens.`)
  return list as number[]
}

function flag(metadata: Metadata, name: string, otherwise: boolean): boolean {
  const value = metadata[`tokenizer.ggml.${name}`]
  return typeof value === "boolean" ? value : otherwise
}

type Named = Partial<Record<keyof typeof namedTokens, number>>

/** An id outside the vocabulary names nothing, as in llama.cpp. */
function readNamed(metadata: Metadata, tokens: string[]): Named {
  const named: Named = {}
  for (const [name, key] of Object.entries(namedTokens) as [keyof Named, string][]) {
    const id = Number(metadata[`tokenizer.ggml.${key}`] ?? Number.NaN)
    if (Number.isInteger(id) && id >= 0 && id < tokens.length) named[name] = id
  }
  // The trainers' own numbers, which llama.cpp assumes too.
  if (metadata["tokenizer.ggml.model"] === "t5") {
    named.eos_token ??= tokens[1] === "</s>" ? 1 : undefined
    named.unk_token ??= tokens[2] === "<unk>" ? 2 : undefined
  }
  if (metadata["tokenizer.ggml.model"] === "llama") {
    named.unk_token ??= tokens[0] === "<unk>" ? 0 : undefined
    named.bos_token ??= tokens[1] === "<s>" ? 1 : undefined
    named.eos_token ??= tokens[2] === "</s>" ? 2 : undefined
  }
  return named
}

interface Parts extends SentencePieceParts {
  addsBos: boolean
}

function byteLevelParts(metadata: Metadata, table: TokenTable): Parts {
  const name = metadata["tokenizer.ggml.pre"] ?? "default"
  const pre = typeof name === "string" ? preTokenizationOf(name) : null
  if (!pre) {
    const hint = "Use the model's folder from the hub, which has its tokenizer.json."
    throw new AppError("unsupported", `The pre-tokenizer "${String(name).slice(0, 60)}" of the GGUF file is not supported yet.`, hint)
  }
  const merges = stringList(metadata, "merges").map((merge, i): [string, string] => {
    const space = merge.indexOf(" ", 1)
    if (space < 0) throw damaged(`tokenizer.ggml.merges has an entry that is no pair, number ${i}.`)
    return [merge.slice(0, space), merge.slice(space + 1)]
  })
  const model = {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: pre.ignoreMerges,
    vocab: Object.fromEntries(table.ids),
    merges,
  }
  const decoder = { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true }
  return { normalizer: pre.normalizer, preTokenizer: pre.preTokenizer, decoder, model, addsBos: pre.addsBos }
}

function sentencePieceParts(metadata: Metadata, { tokens, types }: TokenTable, named: Named): Parts {
  const scores = optionalNumbers(metadata, "scores", tokens.length)
  if (!scores) throw damaged("tokenizer.ggml.scores is missing.")
  const isUnigram = metadata["tokenizer.ggml.model"] === "t5"
  const vocabulary = {
    pieces: tokens,
    scores,
    types,
    unknownId: named.unk_token ?? null,
    byteFallback: !isUnigram || (types?.includes(pieceTypes.byte) ?? false),
    addsPrefix: flag(metadata, "add_space_prefix", true),
    removesExtraSpaces: isUnigram && flag(metadata, "remove_extra_whitespaces", true),
    charsmap: isUnigram ? charsmapOf(metadata) : new Uint8Array(),
  }
  return { ...(isUnigram ? unigramParts(vocabulary) : bytePairParts(vocabulary)), addsBos: !isUnigram }
}

function charsmapOf(metadata: Metadata): Uint8Array {
  const bytes = metadata["tokenizer.ggml.precompiled_charsmap"] ?? []
  if (!Array.isArray(bytes) || bytes.some((byte) => typeof byte !== "number")) {
    throw damaged("tokenizer.ggml.precompiled_charsmap is not a list of bytes.")
  }
  return Uint8Array.from(bytes as number[])
}

interface AddedToken {
  id: number
  content: string
  single_word: false
  lstrip: false
  rstrip: false
  normalized: false
  special: boolean
}

function addedTokens({ tokens, types }: TokenTable, named: Named, isSentencePiece: boolean): AddedToken[] {
  const special = new Set<number>(Object.values(named))
  const plain = new Set<number>()
  for (const [id, type] of types?.entries() ?? []) {
    if (type === pieceTypes.control || (isSentencePiece && type === pieceTypes.unknown)) special.add(id)
    else if (type === pieceTypes.userDefined) plain.add(id)
  }
  return [...new Set([...special, ...plain])]
    .sort((a, b) => a - b)
    .map((id) => ({
      id,
      content: tokens[id]!,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: special.has(id),
    }))
}

function postProcessor(tokens: string[], bos: number | null, eos: number | null): Record<string, unknown> | null {
  const around = [bos, eos].filter((id) => id !== null)
  if (around.length === 0) return null
  const token = (id: number | null, type_id: number) => (id === null ? [] : [{ SpecialToken: { id: tokens[id]!, type_id } }])
  const sequence = (id: "A" | "B", type_id: number) => [...token(bos, type_id), { Sequence: { id, type_id } }, ...token(eos, type_id)]
  return {
    type: "TemplateProcessing",
    single: sequence("A", 0),
    pair: [...sequence("A", 0), ...sequence("B", 1)],
    special_tokens: Object.fromEntries(around.map((id) => [tokens[id]!, { id: tokens[id]!, ids: [id], tokens: [tokens[id]!] }])),
  }
}

function configOf(
  metadata: Metadata,
  tokens: string[],
  named: Named,
  added: AddedToken[],
  around: { bos: number | null; eos: number | null },
  chatTemplate: string | null,
): Record<string, unknown> {
  const length = metadata[`${String(metadata["general.architecture"])}.context_length`]
  const names = Object.entries(named).filter(([, id]) => id !== undefined)
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...Object.fromEntries(names.map(([name, id]) => [name, tokens[id]!])),
    add_bos_token: around.bos !== null,
    add_eos_token: around.eos !== null,
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [String(id), token])),
    clean_up_tokenization_spaces: false,
    ...(typeof length === "number" || typeof length === "bigint" ? { model_max_length: Number(length) } : {}),
    ...(chatTemplate === null ? {} : { chat_template: chatTemplate }),
  }
}
