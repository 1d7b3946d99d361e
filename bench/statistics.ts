// Figures of repeated measurements. Machines are noisy: the middle is what counts, and ratios are taken within a round, where both
// sides had the same neighbors.

export interface Summary {
  median: number
  min: number
  max: number
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/** Half the distance from the least to the largest, as a share of the median. */
export function spread({ median, min, max }: Summary): number {
  return (max - min) / 2 / median
}

/** The median over the rounds of value / reference of the same round. */
export function ratio(values: readonly number[], references: readonly number[]): number {
  if (values.length !== references.length) {
    throw new RangeError(`${values.length} values cannot be compared with ${references.length} references.`)
  }
  return median(values.map((value, round) => value / (references[round] as number)))
}
