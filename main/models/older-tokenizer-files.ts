// The tokenizer of a folder without tokenizer.json, as the tokenizer.json that transformers would make of what is there:
// SentencePiece's tokenizer.model, or GPT-2's vocab.json and merges.txt.
import { join } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { qwen2Pattern } from "../engine/tokenizer/patterns.ts"
import { decodeText, readOptionalText, withFile } from "./bounded-file.ts"
import { isObject, parseJsonObject } from "./json.ts"
import { bytePairParts, type SentencePieceParts, unigramParts } from "./sentencepiece-tokenizer.ts"
import { parseSentencePiece, pieceTypes, type SentencePieceFile } from "./sentencepiece-tokenizer-file.ts"

const maxFileBytes = 100_000_000
const jsonHint = "Get the model's tokenizer.json."

type Config = Record<string, unknown>
interface AddedToken {
  id: number
  content: string
  single_word: boolean
  lstrip: boolean
  rstrip: boolean
  normalized: boolean
  special: boolean
}

/** Null: the folder has no tokenizer. `config` is completed with the names of special tokens that only other files give. */
export async function readOlderTokenizer(folder: string, given: Config): Promise<{ json: Config; config: Config } | null> {
  const config = { ...(await optionalObject(folder, "special_tokens_map.json")), ...given }
  const model = await optionalBytes(join(folder, "tokenizer.model"))
  if (model) return fromSentencePiece(folder, model, config)
  const merges = await readOptionalText(join(folder, "merges.txt"), maxFileBytes)
  const vocab = await optionalObject(folder, "vocab.json")
  if (merges !== null && vocab) return fromMerges(folder, vocab, merges, config)
  for (const name of ["tekken.json", "tiktoken.model", "qwen.tiktoken", "vocab.txt"]) {
    if ((await optionalBytes(join(folder, name))) === null) continue
    throw new AppError("unsupported", `${join(folder, name)}: a tokenizer in this form is not supported.`, jsonHint)
  }
  return null
}

async function fromSentencePiece(folder: string, bytes: Buffer, given: Config): Promise<{ json: Config; config: Config }> {
  const path = join(folder, "tokenizer.model")
  if (/^[A-Za-z0-9+/=]+ \d+\r?\n/.test(bytes.toString("latin1", 0, 300))) {
    throw new AppError("unsupported", `${path} is a tiktoken vocabulary, which does not say how text is split.`, jsonHint)
  }
  const file = parseSentencePiece(bytes, path)
  const isT5 = /^(M?T5|UMT5)Tokenizer/.test(String(given.tokenizer_class))
  const extraIds = isT5 && !file.pieces.includes("<extra_id_0>") ? extraPieces(given.extra_ids) : []
  const pieces = [...file.pieces, ...extraIds]
  const types = [...file.types, ...extraIds.map(() => pieceTypes.control)]
  const unknownId = file.unknownId >= 0 && file.unknownId < pieces.length ? file.unknownId : null
  const vocabulary = { ...file, pieces, types, scores: [...file.scores, ...extraIds.map(() => 0)], unknownId }
  const isFirstOnly = given.legacy === false && file.model === "bpe"
  const parts = file.model === "bpe" ? bytePairParts(vocabulary, isFirstOnly ? "first" : "always") : unigramParts(vocabulary, isT5)
  const config = { ...namedPieces(file), ...given }
  const special = specialPieces(pieces, types)
  const added = await moreTokens(folder, given, pieces.length, special)
  const around = {
    before: (config.add_bos_token ?? file.model === "bpe") ? config.bos_token : null,
    after: (config.add_eos_token ?? isT5) ? config.eos_token : null,
  }
  return { json: tokenizerJson(parts, added, around, (text) => pieces.indexOf(text)), config }
}

function extraPieces(count: unknown): string[] {
  const length = typeof count === "number" && Number.isInteger(count) && count >= 0 && count <= 10_000 ? count : 100
  return Array.from({ length }, (_, i) => `<extra_id_${length - 1 - i}>`)
}

function namedPieces(file: SentencePieceFile): Config {
  const ids = { bos_token: file.bosId, eos_token: file.eosId, unk_token: file.unknownId, pad_token: file.padId }
  return Object.fromEntries(Object.entries(ids).flatMap(([name, id]) => (file.pieces[id] === undefined ? [] : [[name, file.pieces[id]]])))
}

const plainToken = (id: number, content: string, special: boolean): AddedToken => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false },
  ...{ normalized: false, special },
})

function specialPieces(pieces: string[], types: number[]): AddedToken[] {
  return pieces.flatMap((piece, id) => {
    const isSpecial = types[id] === pieceTypes.control || types[id] === pieceTypes.unknown
    return isSpecial || types[id] === pieceTypes.userDefined ? [plainToken(id, piece, isSpecial)] : []
  })
}

/** With those that added_tokens.json and tokenizer_config.json number beyond the vocabulary of `size` tokens. */
async function moreTokens(folder: string, config: Config, size: number, known: AddedToken[]): Promise<AddedToken[]> {
  const tokens = new Map(known.map((token) => [token.id, token]))
  const listed = (await optionalObject(folder, "added_tokens.json")) ?? {}
  for (const [content, id] of Object.entries(listed)) {
    if (typeof id === "number" && id >= size) tokens.set(id, plainToken(id, content, false))
  }
  const { added_tokens_decoder: declared } = config
  for (const [key, token] of Object.entries(isObject(declared) ? declared : {})) {
    if (!isObject(token) || typeof token.content !== "string") continue
    const id = Number(key)
    const flags = ["single_word", "lstrip", "rstrip", "normalized"].filter((name) => token[name] === true)
    const made = { ...plainToken(id, token.content, token.special === true), ...Object.fromEntries(flags.map((name) => [name, true])) }
    if (id >= size || tokens.get(id)?.content === token.content) tokens.set(id, made)
  }
  return [...tokens.values()].sort((a, b) => a.id - b.id)
}

async function fromMerges(folder: string, vocab: Config, mergesText: string, config: Config): Promise<{ json: Config; config: Config }> {
  const lines = mergesText.split("\n").map((line) => line.replace(/\r$/, ""))
  const merges = lines.filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version"))).map((line) => line.split(" "))
  const isQwen = /^Qwen2Tokenizer/.test(String(config.tokenizer_class))
  const bytes = { type: "ByteLevel", add_prefix_space: config.add_prefix_space === true, trim_offsets: true, use_regex: !isQwen }
  const split = { type: "Split", pattern: { Regex: qwen2Pattern }, behavior: "Isolated", invert: false }
  const parts = {
    normalizer: isQwen ? { type: "NFC" } : null,
    preTokenizer: isQwen ? { type: "Sequence", pretokenizers: [split, bytes] } : bytes,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges },
  }
  const size = Object.keys(vocab).length
  const idOf = (text: string) => (Object.hasOwn(vocab, text) && typeof vocab[text] === "number" ? vocab[text] : -1)
  const named = ["bos_token", "eos_token", "unk_token", "pad_token"].map((name) => contentOf(config[name]))
  const special = [...new Set(named.filter((text) => text !== null && idOf(text) >= 0))].map((text) => plainToken(idOf(text!), text!, true))
  const added = await moreTokens(folder, config, size, special)
  const around = {
    before: config.add_bos_token === true ? config.bos_token : null,
    after: config.add_eos_token === true ? config.eos_token : null,
  }
  return { json: tokenizerJson(parts, added, around, idOf), config }
}

function tokenizerJson(
  parts: SentencePieceParts,
  added: AddedToken[],
  around: { before: unknown; after: unknown },
  idOf: (text: string) => number,
): Config {
  const known = (token: unknown) => {
    const text = contentOf(token)
    const id = text === null ? -1 : (added.find((one) => one.content === text)?.id ?? idOf(text))
    return text !== null && id >= 0 ? { text, id } : null
  }
  const before = known(around.before)
  const after = known(around.after)
  const item = (token: { text: string } | null, type_id: number) => (token ? [{ SpecialToken: { id: token.text, type_id } }] : [])
  const whole = (id: "A" | "B", type_id: number) => [...item(before, type_id), { Sequence: { id, type_id } }, ...item(after, type_id)]
  const tokens = [before, after].filter((token) => token !== null)
  const template = {
    type: "TemplateProcessing",
    single: whole("A", 0),
    pair: [...whole("A", 0), ...whole("B", 1)],
    special_tokens: Object.fromEntries(tokens.map(({ text, id }) => [text, { id: text, ids: [id], tokens: [text] }])),
  }
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    post_processor: tokens.length === 0 ? null : template,
    decoder: parts.decoder,
    model: parts.model,
  }
}

/** A token is given as text or as an object with its content. */
function contentOf(token: unknown): string | null {
  const text = isObject(token) ? token.content : token
  return typeof text === "string" && text !== "" ? text : null
}

async function optionalObject(folder: string, name: string): Promise<Config | null> {
  const path = join(folder, name)
  const bytes = await optionalBytes(path)
  return bytes && parseJsonObject(decodeText(bytes, path), path, { allowsDuplicates: true })
}

/** Null where there is no such file. */
async function optionalBytes(path: string): Promise<Buffer | null> {
  try {
    return await withFile(path, (file) => {
      if (file.size > maxFileBytes) throw new AppError("bad_file", `${path} has ${file.size} bytes; at most ${maxFileBytes} are read.`)
      return file.read(0, file.size)
    })
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "not_found") return null
    throw thrown
  }
}
