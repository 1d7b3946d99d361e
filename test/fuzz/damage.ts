// Seeded damage for fuzz tests. A failure names seed and round, so that it can be repeated.

export type Random = () => number

/** mulberry32: from 0 up to 1. */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!
}

/** Changes one place of a JSON value: walks down from the root, so that the upper parts are hit as often as long lists. */
export function damageJson(random: Random, root: object, values: readonly unknown[]): void {
  let node = root as Record<string, unknown>
  for (;;) {
    const keys = Object.keys(node)
    const key = keys.length > 0 ? pick(random, keys) : "new"
    const child = node[key]
    if (typeof child === "object" && child !== null && random() < 0.8) {
      node = child as Record<string, unknown>
      continue
    }
    const kind = random()
    if (kind < 0.2) {
      if (Array.isArray(node)) node.splice(Number(key), 1)
      else delete node[key]
    } else if (kind < 0.3 && !Array.isArray(node)) node[`${key}${Math.floor(random() * 10)}`] = child
    else if (kind < 0.4 && typeof child === "string") node[key] = damageText(random, child, [])
    else if (kind < 0.5 && typeof child === "number") node[key] = child + Math.floor(random() * 5) - 2
    else node[key] = structuredClone(pick(random, values))
    return
  }
}

/** Cuts, repeats or inserts at a random place. */
export function damageText(random: Random, text: string, fragments: readonly string[]): string {
  const at = Math.floor(random() * (text.length + 1))
  const end = Math.min(text.length, at + Math.floor(random() ** 3 * text.length) + 1)
  const kind = random()
  if (kind < 0.3) return text.slice(0, at) + text.slice(end)
  if (kind < 0.5) return text.slice(0, end) + text.slice(at)
  if (kind < 0.8 && fragments.length > 0) return text.slice(0, at) + pick(random, fragments) + text.slice(at)
  return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 0x250)) + text.slice(at + 1)
}
