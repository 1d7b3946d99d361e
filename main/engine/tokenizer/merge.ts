// Byte-pair encoding over ids: the pair with the lowest rank is merged first, the leftmost of equals. The same result as Hugging
// Face's, in time n log n for a piece of n characters (a SentencePiece model gets the whole text as one piece).
import type { EncodePiece } from "./cache.ts"
import { badTokenizer, type Model } from "./json.ts"
import { PairTable } from "./pairs.ts"
import { utf8Pieces } from "./text.ts"
import type { Vocabulary } from "./vocabulary.ts"

/** Ranks are below 2^22 and positions below 2^30, so that both fit one double: rank first, then place. */
const placeScale = 2 ** 30
const maxMerges = 2 ** 22

/** The values of a pair are its rank and the id of what it becomes. */
function readMerges(model: Model, { ids, texts }: Vocabulary): PairTable {
  const { merges } = model
  if (!Array.isArray(merges)) throw badTokenizer("model.merges is not a list")
  if (merges.length > maxMerges) throw badTokenizer(`model.merges has ${merges.length} entries, more than ${maxMerges}`)
  const prefixLength = model.continuing_subword_prefix?.length ?? 0
  const table = new PairTable(merges.length)
  for (const [rank, merge] of merges.entries()) {
    const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string" || typeof pair[1] !== "string") {
      // The first line of merges.txt, which some files took over.
      if (rank === 0 && typeof merge === "string" && merge.startsWith("#version")) continue
      throw badTokenizer(`model.merges.${rank} is not a pair of tokens: ${JSON.stringify(merge)?.slice(0, 60)}`)
    }
    const [left, right] = pair as [string, string]
    const involved = [left, right, left + right.slice(prefixLength)]
    const known = involved.map((text) => ids.get(text))
    const missing = known.indexOf(undefined)
    if (missing >= 0) {
      const text = JSON.stringify(involved[missing]!.slice(0, 60))
      throw badTokenizer(`model.merges.${rank} names ${text}, which is not in the vocabulary of ${texts.length} tokens`)
    }
    table.set(known[0]!, known[1]!, rank, known[2]!)
  }
  return table
}

/** Smallest first; the keys are rank * placeScale + place. */
class KeyHeap {
  private keys = new Float64Array(256)
  size = 0

  push(key: number): void {
    if (this.size === this.keys.length) {
      const larger = new Float64Array(this.size * 2)
      larger.set(this.keys)
      this.keys = larger
    }
    const { keys } = this
    let at = this.size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (keys[parent]! <= key) break
      keys[at] = keys[parent]!
      at = parent
    }
    keys[at] = key
  }

  pop(): number {
    const { keys } = this
    const smallest = keys[0]!
    const key = keys[--this.size]!
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= this.size) break
      if (child + 1 < this.size && keys[child + 1]! < keys[child]!) child++
      if (keys[child]! >= key) break
      keys[at] = keys[child]!
      at = child
    }
    keys[at] = key
    return smallest
  }
}

export function createMerger(model: Model, vocabulary: Vocabulary, isByteLevel: boolean): EncodePiece {
  const table = readMerges(model, vocabulary)
  const pieces = utf8Pieces(model, vocabulary, isByteLevel)
  const heap = new KeyHeap()

  /** Merges `ids` in place and gives how many are left. */
  function merge(ids: number[]): number {
    const count = ids.length
    const next = new Int32Array(count)
    const previous = new Int32Array(count)
    heap.size = 0
    const offer = (place: number) => {
      const after = next[place]!
      if (after >= count) return
      const at = table.find(ids[place]!, ids[after]!)
      if (at >= 0) heap.push(table.first(at) * placeScale + place)
    }
    for (let i = 0; i < count; i++) {
      next[i] = i + 1
      previous[i] = i - 1
    }
    for (let i = 0; i < count - 1; i++) offer(i)
    while (heap.size > 0) {
      const key = heap.pop()
      const rank = Math.floor(key / placeScale)
      const place = key - rank * placeScale
      const after = next[place]!
      // The entry is out of date when one of its two symbols has been merged since.
      if (ids[place]! < 0 || after >= count) continue
      const at = table.find(ids[place]!, ids[after]!)
      if (at < 0 || table.first(at) !== rank) continue
      ids[place] = table.second(at)
      ids[after] = -1
      const beyond = next[after]!
      next[place] = beyond
      if (beyond < count) previous[beyond] = place
      if (previous[place]! >= 0) offer(previous[place]!)
      offer(place)
    }
    let kept = 0
    for (let i = 0; i < count; i = next[i]!) ids[kept++] = ids[i]!
    return kept
  }

  return (piece, out) => {
    const whole = model.ignore_merges ? vocabulary.ids.get(pieces.written(piece)) : undefined
    if (whole !== undefined) {
      out.push(whole)
      return
    }
    const ids = pieces.symbols(piece)
    if (ids.length > 1) ids.length = merge(ids)
    for (let i = 0; i < ids.length; i++) out.push(ids[i]!)
  }
}
