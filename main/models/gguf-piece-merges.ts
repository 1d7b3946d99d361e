// SentencePiece has scores where BPE has a list of merges: of all pairs that make a piece, the one with the best score goes first.
// The list is made as transformers makes it (generate_merges): by score, then the longer left part, then the longer right part.

/** Pieces of more characters are found as a whole or not at all; trainers make none so long. */
const longestPiece = 256

export function pieceMerges(
  tokens: string[],
  ids: Map<string, number>,
  scores: number[],
  isPiece: (id: number) => boolean,
): [string, string][] {
  const merges: { left: string; right: string; score: number; lengths: [number, number] }[] = []
  for (const [id, token] of tokens.entries()) {
    const characters = [...token]
    if (characters.length < 2 || characters.length > longestPiece || !isPiece(id)) continue
    const local: { left: number; right: number; at: number }[] = []
    for (let at = 1, place = characters[0]!.length; at < characters.length; place += characters[at++]!.length) {
      const left = ids.get(token.slice(0, place))
      if (left === undefined || !isPiece(left)) continue
      const right = ids.get(token.slice(place))
      if (right !== undefined && isPiece(right)) local.push({ left, right, at })
    }
    local.sort((a, b) => a.left - b.left || a.right - b.right)
    for (const { left, right, at } of local) {
      merges.push({ left: tokens[left]!, right: tokens[right]!, score: scores[id]!, lengths: [at, characters.length - at] })
    }
  }
  merges.sort((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1])
  return merges.map(({ left, right }) => [left, right])
}
