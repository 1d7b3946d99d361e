// Slopes of attention with linear biases (arXiv 2108.12409): what a head subtracts from a score for each position of distance.

/** As BLOOM and Falcon have them: a number of heads that is no power of two takes every other slope of twice as many for the rest. */
export function alibiSlopes(nHeads: number): Float32Array {
  const whole = 2 ** Math.floor(Math.log2(nHeads))
  const slope = (i: number, of: number) => 2 ** (-8 * (i / of))
  return Float32Array.from({ length: nHeads }, (_, i) => (i < whole ? slope(i + 1, whole) : slope(2 * (i - whole) + 1, 2 * whole)))
}

/** As MPT has them: the slopes of the next power of two, every other one first. The steepest head of `maxBias` 8 has nearly 1. */
export function mptSlopes(nHeads: number, maxBias: number): Float32Array {
  const whole = 2 ** Math.ceil(Math.log2(nHeads))
  const slopes = Array.from({ length: whole }, (_, i) => 2 ** (-maxBias * ((i + 1) / whole)))
  if (whole === nHeads) return Float32Array.from(slopes)
  return Float32Array.from([...slopes.filter((_, i) => i % 2 === 1), ...slopes.filter((_, i) => i % 2 === 0)].slice(0, nHeads))
}
