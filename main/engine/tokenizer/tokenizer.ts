// Text <-> token ids as tokenizer.json says, with the results of Hugging Face's `tokenizers`. From the npm package
// @huggingface/tokenizers (0.2.0) comes the translation of patterns; the rest is here. Why, with figures: docs/decisions/001.
import { AppError } from "../../../shared/schema/error.ts"
import type { TokenizerSource } from "../../models/opened-model.ts"
import { withTimeLimit } from "../time-limit.ts"
import { createAddedTokenFinder } from "./added.ts"
import { specialAround } from "./around.ts"
import { cached, type EncodePiece } from "./cache.ts"
import { badTokenizer, type Model, readTokenizerJson, type TokenizerJson } from "./json.ts"
import { createMerger } from "./merge.ts"
import { compileNormalizers } from "./normalize.ts"
import { isLinear } from "./patterns.ts"
import { compilePreTokenizers } from "./split.ts"
import type { Pattern } from "./steps.ts"
import { compileDecoder } from "./stream.ts"
import { byteCharacters, byteLevelText } from "./text.ts"
import { createUnigram } from "./unigram.ts"
import { allAddedTokens, idOf, readVocabulary, type Vocabulary } from "./vocabulary.ts"
import { createWordLevel, createWordPiece } from "./words.ts"

export interface Tokenizer {
  /** Largest id + 1. */
  vocabSize: number
  /** Special tokens in the text are recognized. `addSpecial` (default false): also those that the model wants around a text. */
  encode(text: string, options?: { addSpecial?: boolean }): number[]
  /** Ids that no token has give no text. */
  decode(ids: number[], options?: { skipSpecial?: boolean }): string
  /** As the vocabulary writes it ("Ġthe", "▁the"); "" for an id that no token has. For text, decode([id]). */
  tokenText(id: number): string
  idOf(token: string): number | undefined
  isSpecial(id: number): boolean
  stream(options?: { skipSpecial?: boolean }): TokenStream
}

/** What all pushes and the end give, one after another, is what `decode` gives for all ids. */
export interface TokenStream {
  /** The text that is now certain; the start of a character is held back until the rest comes. */
  push(ids: number[]): string
  end(): string
}

/** For a text of n characters under a pattern that is not known to be linear; known good ones take about 1 ms per 1000. */
const limitMs = (n: number) => 2000 + n / 50

export function createTokenizer(source: TokenizerSource): Tokenizer {
  const late = () => badTokenizer("building the tokenizer took more than 20 s")
  return asBadFile(() => withTimeLimit(20_000, () => build(source), late))
}

/** What the file makes fail in ways of its own (an expression without end, a text too long for JavaScript). */
function asBadFile<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof AppError) throw error
    throw badTokenizer((error as Error).message, error)
  }
}

function build(source: TokenizerSource): Tokenizer {
  const json = readTokenizerJson(source.json)
  const vocabulary = readVocabulary(json.model, json.addedTokens)
  const { texts } = vocabulary
  const added = allAddedTokens(json.addedTokens, source.config, vocabulary)
  const special = new Set(added.filter((token) => token.special).map((token) => token.id))
  const encodeBody = compileEncoder(json, added, vocabulary)
  const around = specialAround(json.postProcessors, vocabulary)
  const newDecoder = compileDecoder(json.decoders)
  const isSafe = (steps: object[]) => steps.every((step) => !("pattern" in step) || isLinear(step.pattern as Pattern))
  const encodesSafely = isSafe([...json.normalizers, ...json.preTokenizers])
  const decodesSafely = isSafe(json.decoders ?? [])
  const lateDecoding = () => badTokenizer("putting a text together by the decoder's patterns took too long")
  const limited = <T>(work: () => T): T => (decodesSafely ? work() : withTimeLimit(limitMs(0), work, lateDecoding))

  function stream({ skipSpecial = false }: { skipSpecial?: boolean } = {}): TokenStream {
    const decoder = newDecoder()
    return {
      push: (ids) =>
        limited(() => {
          let text = ""
          for (const id of ids) {
            const token = texts[id]
            if (token !== undefined && !(skipSpecial && special.has(id))) text += decoder.push(token)
          }
          return text
        }),
      end: () => limited(decoder.end),
    }
  }

  return {
    vocabSize: texts.length,
    encode(text, { addSpecial = false } = {}) {
      const wellFormed = text.toWellFormed()
      const late = () => badTokenizer(`splitting a text of ${text.length} characters by its patterns took too long`)
      const ids = asBadFile(() =>
        encodesSafely ? encodeBody(wellFormed) : withTimeLimit(limitMs(text.length), () => encodeBody(wellFormed), late),
      )
      return addSpecial ? [...around.before, ...ids, ...around.after] : ids
    },
    decode(ids, options) {
      const decoding = stream(options)
      return decoding.push(ids) + decoding.end()
    },
    tokenText: (id) => texts[id] ?? "",
    idOf: (token) => idOf(vocabulary, token),
    isSpecial: (id) => special.has(id),
    stream,
  }
}

function compileEncoder(json: TokenizerJson, added: TokenizerJson["addedTokens"], vocabulary: Vocabulary): (text: string) => number[] {
  const normalize = compileNormalizers(json.normalizers)
  const hasAllBytes = byteCharacters.every((character) => vocabulary.ids.has(character))
  const splitter = compilePreTokenizers(json.preTokenizers, hasAllBytes)
  const encodePiece = cached(modelEncoder(json.model, vocabulary, splitter.isByteLevel))
  const isNormalized = (token: { normalized?: boolean | undefined; special: boolean }) =>
    json.normalizers.length > 0 && (token.normalized ?? !token.special)
  const findRaw = createAddedTokenFinder(
    added.filter((token) => !isNormalized(token)),
    (content) => content,
  )
  const findNormalized = createAddedTokenFinder(added.filter(isNormalized), normalize)
  return (text) => {
    const ids: number[] = []
    let isFirst = true
    for (const part of findRaw(text)) {
      if (part.id !== null) ids.push(part.id)
      else {
        for (const inner of findNormalized(normalize(part.text))) {
          if (inner.id !== null) ids.push(inner.id)
          else for (const piece of splitter.split(inner.text, isFirst)) encodePiece(piece, ids)
          isFirst = false
        }
      }
      isFirst = false
    }
    return ids
  }
}

function modelEncoder(model: Model, vocabulary: Vocabulary, isByteLevel: boolean): EncodePiece {
  const type = model.type ?? (Array.isArray(model.vocab) ? "Unigram" : model.merges !== undefined ? "BPE" : "none")
  if (type === "BPE") return createMerger(model, vocabulary, isByteLevel)
  const create = { Unigram: createUnigram, WordPiece: createWordPiece, WordLevel: createWordLevel }
  if (!Object.hasOwn(create, type)) {
    throw badTokenizer(`the model type "${type.slice(0, 60)}" is not supported; BPE, Unigram, WordPiece and WordLevel are`)
  }
  const encode = create[type as keyof typeof create](model, vocabulary)
  // These take pieces as they are written in the vocabulary.
  return isByteLevel ? (piece, out) => encode(byteLevelText(piece), out) : encode
}
