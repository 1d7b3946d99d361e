// The models that know whole words: WordLevel looks a piece up, WordPiece cuts it greedily into the longest entries from the left.

import type { EncodePiece } from "./cache.ts"
import { badTokenizer, type Model } from "./json.ts"
import type { Vocabulary } from "./vocabulary.ts"

/** It may be missing until it is needed. */
function unknownId(model: Model, { ids }: Vocabulary, otherwise: string): number {
  const token = model.unk_token ?? otherwise
  const id = ids.get(token)
  if (id !== undefined) return id
  throw badTokenizer(`model.unk_token ${JSON.stringify(token.slice(0, 60))} is not in the vocabulary, and the text has unknown words`)
}

export function createWordLevel(model: Model, vocabulary: Vocabulary): EncodePiece {
  return (piece, out) => {
    out.push(vocabulary.ids.get(piece) ?? unknownId(model, vocabulary, "<unk>"))
  }
}

export function createWordPiece(model: Model, vocabulary: Vocabulary): EncodePiece {
  const prefix = model.continuing_subword_prefix ?? "##"
  const maxCharacters = model.max_input_chars_per_word ?? 100
  const longest = vocabulary.texts.reduce((most, text) => Math.max(most, text?.length ?? 0), 0)

  return (piece, out) => {
    if (piece.length > maxCharacters && [...piece].length > maxCharacters) {
      out.push(unknownId(model, vocabulary, "[UNK]"))
      return
    }
    const first = out.length
    for (let start = 0; start < piece.length; ) {
      let end = Math.min(piece.length, start + longest)
      let id: number | undefined
      for (; end > start; end--) {
        const text = piece.slice(start, end)
        id = vocabulary.ids.get(start === 0 ? text : prefix + text)
        if (id !== undefined) break
      }
      if (id === undefined) {
        out.length = first
        out.push(unknownId(model, vocabulary, "[UNK]"))
        return
      }
      out.push(id)
      start = end
    }
  }
}
