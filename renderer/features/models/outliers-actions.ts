import { toErrorData } from "../../../shared/schema/error.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { showFailure } from "../../ui/toast.tsx"
import { loadModel } from "./actions.ts"
import { type OutlierRun, outliers } from "./outliers.ts"

const measuring = new Map<string, AbortController>()

function put(modelId: string, run: OutlierRun | undefined): void {
  outliers.update(({ runs: { [modelId]: _, ...others } }) => ({ runs: run ? { ...others, [modelId]: run } : others }))
}

/** Loads the model first if it is not. A run that is cancelled leaves the report of the one before. */
export async function measureOutliers(modelId: string, text: string, threshold: number): Promise<void> {
  if (measuring.has(modelId)) return
  const abort = new AbortController()
  measuring.set(modelId, abort)
  const before = outliers.get().runs[modelId]
  put(modelId, { state: "running", threshold })
  try {
    put(modelId, { state: "done", report: await client["models.outliers"]({ modelId, text, threshold }, abort.signal) })
  } catch (thrown) {
    const error = toErrorData(thrown)
    put(modelId, error.code === "cancelled" ? before : { state: "failed", error })
  } finally {
    measuring.delete(modelId)
  }
}

export function cancelOutliers(modelId: string): void {
  measuring.get(modelId)?.abort()
}

/** From now on for all models in int8, and for this one at once. */
export async function applyThreshold(modelId: string, int8Threshold: number): Promise<void> {
  const settings = await attempt(
    () => client["settings.update"]({ int8Threshold }),
    (error) => showFailure(describeFailure(error)),
  )
  if (settings) await loadModel(modelId)
}
