// How far predictions were from what was measured.
import type { Prediction } from "../../../shared/schema/plan.ts"

/** What the planner is held to: within 5 %, or within 32 MiB where that is more. */
export const bandShare = 0.05
const bandBytes = 32 * 2 ** 20

export interface Judged {
  prediction: Prediction
  /** Measured less predicted: positive where it took more. */
  errorBytes: number
  /** Of what was predicted. */
  errorShare: number
  isGood: boolean
}

export function judge(prediction: Prediction): Judged {
  const { predictedBytes, peakBytes } = prediction
  const errorBytes = peakBytes - predictedBytes
  const errorShare = predictedBytes > 0 ? errorBytes / predictedBytes : 0
  return { prediction, errorBytes, errorShare, isGood: Math.abs(errorBytes) <= Math.max(bandBytes, bandShare * predictedBytes) }
}

export interface Accuracy {
  /** The oldest first, so that time runs to the right. */
  judged: Judged[]
  averageShare: number
  worst: Judged
}

/** Of the newest `count`, which come first; null when there is none. */
export function accuracyOf(predictions: Prediction[], count = 10): Accuracy | null {
  const judged = predictions.slice(0, count).map(judge).reverse()
  const [first] = judged
  if (!first) return null
  const size = ({ errorShare }: Judged) => Math.abs(errorShare)
  return {
    judged,
    averageShare: judged.reduce((sum, one) => sum + size(one), 0) / judged.length,
    worst: judged.reduce((worst, one) => (size(one) > size(worst) ? one : worst), first),
  }
}

/** Where a dot stands: -1 the lower edge, 1 the upper; the band takes `bandShare / range` of each half. Beyond the range it sticks to the edge. */
export function dotPlace(errorShare: number, range: number): number {
  return Math.max(-1, Math.min(1, errorShare / range))
}

/** Of the chart: the band and a half, or as much as the worst error needs up to twice the band, so that the band can still be read. */
export function chartRange(worstShare: number): number {
  return Math.min(bandShare * 2, Math.max(bandShare * 1.5, Math.abs(worstShare) * 1.1))
}
