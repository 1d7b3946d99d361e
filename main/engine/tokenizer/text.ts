// The smallest symbols of a text as ids: one per byte for byte-level vocabularies, one per character (or its bytes, where the
// vocabulary lacks it) for the others.
import type { Model } from "./json.ts"
import type { Vocabulary } from "./vocabulary.ts"

const encoder = new TextEncoder()

/** GPT-2's alphabet: each byte as a character that can be seen. Printable ones stand for themselves, the others for U+0100 and on. */
export const byteCharacters: string[] = (() => {
  const isPrintable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad)
  let others = 0
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : 256 + others++))
})()

/** By character code; undefined for characters that stand for no byte. */
export const bytesOfCharacters: (number | undefined)[] = (() => {
  const bytes: (number | undefined)[] = new Array(256 + 68).fill(undefined)
  for (const [byte, character] of byteCharacters.entries()) bytes[character.charCodeAt(0)] = byte
  return bytes
})()

/** Each byte of the UTF-8 as its character. */
export function byteLevelText(text: string): string {
  let written = ""
  for (const byte of encoder.encode(text)) written += byteCharacters[byte]!
  return written
}

/** SentencePiece's name of a byte that no other piece covers. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`
}

export interface Symbols {
  /** The piece as the vocabulary would write it. */
  written(piece: string): string
  symbols(piece: string): number[]
}

export function utf8Pieces(model: Model, vocabulary: Vocabulary, isByteLevel: boolean): Symbols {
  const unknown = model.unk_token == null ? undefined : vocabulary.ids.get(model.unk_token)
  const addUnknown = (ids: number[]) => {
    if (unknown !== undefined && !(model.fuse_unk && ids.at(-1) === unknown)) ids.push(unknown)
  }

  if (isByteLevel) {
    const idOfByte = byteCharacters.map((character) => vocabulary.ids.get(character))
    return {
      written: byteLevelText,
      symbols(piece) {
        const ids: number[] = []
        for (const byte of encoder.encode(piece)) {
          const id = idOfByte[byte]
          if (id === undefined) addUnknown(ids)
          else ids.push(id)
        }
        return ids
      },
    }
  }

  const byteIds = Array.from({ length: 256 }, (_, byte) => vocabulary.ids.get(byteToken(byte)))
  const prefix = model.continuing_subword_prefix ?? ""
  const suffix = model.end_of_word_suffix ?? ""
  return {
    written: (piece) => piece,
    symbols(piece) {
      const ids: number[] = []
      for (let at = 0; at < piece.length; ) {
        const character = String.fromCodePoint(piece.codePointAt(at)!)
        const symbol = (at > 0 ? prefix : "") + character + (at + character.length === piece.length ? suffix : "")
        at += character.length
        const id = vocabulary.ids.get(symbol)
        if (id !== undefined) {
          ids.push(id)
          continue
        }
        const bytes = model.byte_fallback ? Array.from(encoder.encode(symbol), (byte) => byteIds[byte]) : [undefined]
        if (bytes.includes(undefined)) addUnknown(ids)
        else ids.push(...(bytes as number[]))
      }
      return ids
    },
  }
}
