// Which bytes of a file are here, and which are being brought by whom. Spans go from their first byte to the one after their last.

export interface Span {
  from: number
  to: number
}

export interface Ranges {
  /** Bytes that are here. */
  doneBytes(): number
  /** So many bytes are here from the beginning on, without a gap. */
  prefix(): number
  /** What is here, in order, with gaps between. */
  done(): Span[]
  add(span: Span): void
  /** The first piece that is missing and that nobody brings, at most so long; null: there is none. It is the caller's until released. */
  claim(longest_bytes: number): Span | null
  release(claim: Span): void
  /** Nothing is here, and nothing is claimed. */
  clear(): void
}

export function createRanges(bytes: number, known: Span[] = []): Ranges {
  let done: Span[] = []
  const claims = new Set<Span>()
  for (const span of known) done = withSpan(done, span)
  return {
    doneBytes: () => done.reduce((sum, { from, to }) => sum + to - from, 0),
    prefix: () => (done[0]?.from === 0 ? done[0].to : 0),
    done: () => done.map((span) => ({ ...span })),
    add(span) {
      done = withSpan(done, span)
    },
    claim(longest_bytes) {
      let taken = done
      for (const claim of claims) taken = withSpan(taken, claim)
      const from = taken[0]?.from === 0 ? taken[0].to : 0
      const end = taken.find((span) => span.from > from)?.from ?? bytes
      if (from >= end) return null
      const claim = { from, to: Math.min(end, from + longest_bytes) }
      claims.add(claim)
      return claim
    },
    release: (claim) => void claims.delete(claim),
    clear() {
      done = []
      claims.clear()
    },
  }
}

/** Sorted, without overlaps, and spans that touch are one. */
function withSpan(spans: Span[], added: Span): Span[] {
  if (added.from >= added.to) return spans
  const apart = spans.filter(({ from, to }) => to < added.from || from > added.to)
  const joined = spans.filter(({ from, to }) => to >= added.from && from <= added.to)
  const whole = {
    from: Math.min(added.from, ...joined.map(({ from }) => from)),
    to: Math.max(added.to, ...joined.map(({ to }) => to)),
  }
  return [...apart.filter(({ to }) => to < whole.from), whole, ...apart.filter(({ from }) => from > whole.to)]
}
