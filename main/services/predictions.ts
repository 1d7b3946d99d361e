// Being built.
import type { Prediction } from "../../shared/schema/plan.ts"

export interface PredictionsService {
  list(): Prediction[]
}

export function createPredictions(): PredictionsService {
  return { list: () => [] }
}
