import { expect, it } from "vitest"
import { createRanges, type Span } from "../../../main/hub/ranges.ts"

/** The same sequence for each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
}

it("knows what is here as one plain set of bytes would", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed)
    const bytes = 1 + random(60)
    const ranges = createRanges(bytes)
    const here = new Set<number>()
    for (let step = 0; step < 12; step++) {
      const from = random(bytes)
      const to = from + random(bytes - from + 1)
      ranges.add({ from, to })
      for (let at = from; at < to; at++) here.add(at)
      const spans = ranges.done()
      expect(
        spans.flatMap(({ from: a, to: b }) => Array.from({ length: b - a }, (_, i) => a + i)),
        `seed ${seed}`,
      ).toEqual([...here].sort((a, b) => a - b))
      // Those that touch are one.
      for (let i = 1; i < spans.length; i++) expect(spans[i]?.from).toBeGreaterThan(spans[i - 1]?.to ?? 0)
      expect(ranges.doneBytes()).toBe(here.size)
      let prefix = 0
      while (here.has(prefix)) prefix++
      expect(ranges.prefix()).toBe(prefix)
    }
  }
})

it("gives out what is missing, in order, each piece once", () => {
  const ranges = createRanges(100, [
    { from: 20, to: 30 },
    { from: 60, to: 65 },
  ])
  const claims: Span[] = []
  for (let claim = ranges.claim(25); claim; claim = ranges.claim(25)) claims.push({ ...claim })
  expect(claims).toEqual([
    { from: 0, to: 20 },
    { from: 30, to: 55 },
    { from: 55, to: 60 },
    { from: 65, to: 90 },
    { from: 90, to: 100 },
  ])
})

it("gives out again what was released before it was all here", () => {
  const ranges = createRanges(100)
  const claim = ranges.claim(40) as Span
  ranges.add({ from: 0, to: 15 })
  claim.from = 15
  expect(ranges.claim(40)).toEqual({ from: 40, to: 80 })
  ranges.release(claim)
  expect(ranges.claim(Number.POSITIVE_INFINITY)).toEqual({ from: 15, to: 40 })
  ranges.clear()
  expect(ranges.claim(Number.POSITIVE_INFINITY)).toEqual({ from: 0, to: 100 })
  expect(createRanges(0).claim(1)).toBeNull()
})
