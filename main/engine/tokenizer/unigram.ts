// The unigram model: of all ways to cut a piece into entries of the vocabulary, the one with the highest sum of scores, the way
// with the longer last entry where they are equal. Time: characters times the longest match.

import type { EncodePiece } from "./cache.ts"
import { badTokenizer, type Model } from "./json.ts"
import { PairTable } from "./pairs.ts"
import { byteToken } from "./text.ts"
import type { Vocabulary } from "./vocabulary.ts"

/** What an unknown character costs below the worst entry. */
const unknownPenalty = 10

/** Several times what the largest published vocabulary needs; each takes up to 64 bytes. */
const maxNodes = 2 ** 22

/** A tree over UTF-16 code units; the values of (node, unit) are the next node and the id that ends there, or -1. */
function treeOf(pieces: [string, number][]): PairTable {
  const tree = new PairTable(pieces.length * 2)
  let nodes = 1
  for (const [id, [text]] of pieces.entries()) {
    let node = 0
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      const ends = i === text.length - 1
      const at = tree.find(node, unit)
      if (at < 0) {
        tree.set(node, unit, nodes, ends ? id : -1)
        if (nodes === maxNodes)
          throw badTokenizer(`model.vocab of a unigram model is too large: its pieces need more than ${maxNodes} nodes`)
        node = nodes++
      } else {
        if (ends) tree.setSecond(at, id)
        node = tree.first(at)
      }
    }
  }
  return tree
}

export function createUnigram(model: Model, vocabulary: Vocabulary): EncodePiece {
  if (!Array.isArray(model.vocab)) throw badTokenizer("model.vocab of a unigram model is not a list")
  const pieces = model.vocab as [string, number][]
  const unknown = model.unk_id ?? -1
  if (unknown >= pieces.length) throw badTokenizer("model.unk_id of a unigram model is not one of its pieces")
  const scores = Float64Array.from(pieces, ([, score]) => score)
  const worst = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY)
  if (!Number.isFinite(worst)) throw badTokenizer("model.vocab of a unigram model has a score that is not finite")
  const unknownScore = worst - unknownPenalty
  const tree = treeOf(pieces)
  const byteIds = Array.from({ length: 256 }, (_, byte) => vocabulary.ids.get(byteToken(byte)))
  const encoder = new TextEncoder()

  /** Where each entry of the best way begins and its id, by where it ends; for a character that no entry covers the unknown id or -1. */
  function bestWay(piece: string): { starts: Int32Array; ids: Int32Array } {
    const starts = new Int32Array(piece.length + 1).fill(-1)
    const ids = new Int32Array(piece.length + 1)
    const sums = new Float64Array(piece.length + 1)
    function offer(start: number, end: number, sum: number, id: number): void {
      if (starts[end]! >= 0 && sum <= sums[end]!) return
      starts[end] = start
      sums[end] = sum
      ids[end] = id
    }
    for (let start = 0; start < piece.length; ) {
      const next = start + ((piece.codePointAt(start) ?? 0) > 0xffff ? 2 : 1)
      let coversCharacter = false
      for (let node = 0, i = start; i < piece.length; i++) {
        const at = tree.find(node, piece.charCodeAt(i))
        if (at < 0) break
        node = tree.first(at)
        const id = tree.second(at)
        if (id < 0) continue
        offer(start, i + 1, sums[start]! + scores[id]!, id)
        if (i + 1 === next) coversCharacter = true
      }
      if (!coversCharacter) offer(start, next, sums[start]! + unknownScore, unknown)
      start = next
    }
    return { starts, ids }
  }

  function addGap(text: string, out: number[]): void {
    const whole = vocabulary.ids.get(text)
    const bytes = model.byte_fallback ? Array.from(encoder.encode(text), (byte) => byteIds[byte]) : [undefined]
    if (whole !== undefined) out.push(whole)
    else if (!bytes.includes(undefined)) for (const id of bytes) out.push(id!)
    else if (unknown >= 0) out.push(unknown)
    else throw badTokenizer(`the unigram model has no entry for ${JSON.stringify(text.slice(0, 20))} and none for what is unknown`)
  }

  return (piece, out) => {
    const { starts, ids } = bestWay(piece)
    const ends: number[] = []
    for (let end = piece.length; end > 0; end = starts[end]!) ends.push(end)
    for (let i = ends.length - 1; i >= 0; i--) {
      const start = starts[ends[i]!]!
      const id = ids[ends[i]!]!
      if (id !== unknown) {
        out.push(id)
        continue
      }
      // What is unknown in a row is one token.
      while (i > 0 && ids[ends[i - 1]!] === unknown) i--
      addGap(piece.slice(start, ends[i]), out)
    }
  }
}
