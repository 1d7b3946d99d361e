// Lengths of a context that a slider stops at: doubling, with the model's limit as the last.
const least = 256

export function contextStops(limit: number): number[] {
  const stops: number[] = []
  for (let length = least; length < limit; length *= 2) stops.push(length)
  return [...stops, Math.max(1, limit)]
}

/** Index of the stop nearest to a length, counted in doublings. */
export function nearestStop(context: number, stops: readonly number[]): number {
  const distance = (length: number) => Math.abs(Math.log2(length) - Math.log2(Math.max(1, context)))
  return stops.reduce((best, length, index) => (distance(length) < distance(stops[best] ?? 1) ? index : best), 0)
}
