// What was probably meant by a word that is none of those there are.

/** Insertions, deletions, replacements and swaps of neighbors that lead from `a` to `b`. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The candidate that is a few slips of the finger away, begins so, or has all the word's parts; null where there is none. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > 100) return null
  const plain = (text: string) => text.replace(/^-+/, "").toLowerCase()
  const wanted = plain(word)
  const ranked = candidates.map((candidate) => ({ candidate, slips: distance(wanted, plain(candidate)) })).sort((a, b) => a.slips - b.slips)
  const best = ranked[0]
  if (best && best.slips <= Math.max(1, Math.floor(wanted.length / 3))) return best.candidate
  if (wanted.length < 3) return null
  const parts = wanted.split("-")
  const holdsAll = (candidate: string) => parts.every((part) => plain(candidate).split("-").includes(part))
  return candidates.find((candidate) => plain(candidate).startsWith(wanted)) ?? candidates.find(holdsAll) ?? null
}
