// The tokens of short pieces, kept: the same words come again and again.

/** Adds the ids of a piece to `out`. */
export type EncodePiece = (piece: string, out: number[]) => void

const cachedPieces = 50_000
const cachedLength = 64

export function cached(encode: EncodePiece): EncodePiece {
  const known = new Map<string, number[]>()
  return (piece, out) => {
    if (piece.length > cachedLength) return encode(piece, out)
    let ids = known.get(piece)
    if (!ids) {
      ids = []
      encode(piece, ids)
      if (known.size >= cachedPieces) known.clear()
      known.set(piece, ids)
    }
    for (let i = 0; i < ids.length; i++) out.push(ids[i]!)
  }
}
