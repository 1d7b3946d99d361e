// Predictions of memory and what came of them. None are made until plans are shown.
import type { Prediction } from "../../shared/schema/plan.ts"

export interface PredictionsService {
  list(): Prediction[]
}

export function createPredictions(): PredictionsService {
  return { list: () => [] }
}
