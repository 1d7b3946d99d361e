import type { ErrorData } from "../../../shared/schema/error.ts"
import type { QuantizedFormat } from "../../../shared/schema/format.ts"
import type { Job } from "../../../shared/schema/job.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes } from "../../lib/format.ts"
import { t } from "../../lib/i18n.ts"
import { showFailure, showToast } from "../../ui/toast.tsx"
import { models } from "./state.ts"

const say = (error: ErrorData) => showFailure(describeFailure(error))

let loading: AbortController | null = null

/** Progress and failure come as load events. */
export async function loadModel(modelId: string): Promise<void> {
  loading?.abort()
  const mine = new AbortController()
  loading = mine
  await attempt(
    () => client["models.load"]({ modelId }, mine.signal),
    (error) => {
      // The others stand where the model is shown.
      if (error.code === "busy") say(error)
    },
  )
  if (loading === mine) loading = null
}

/** Ends a load under way, whoever began it. */
export function cancelLoad(): void {
  if (loading) loading.abort()
  else void attempt(() => client["models.unload"](undefined), say)
}

export async function eject(): Promise<void> {
  const result = await attempt(() => client["models.unload"](undefined), say)
  // What is mapped and was not read yet takes no memory that could be given back.
  if (result) showToast(result.freedBytes < 1024 ** 2 ? t("load.unloaded") : t("load.freed", { size: formatBytes(result.freedBytes) }))
}

export async function setUpStarter(format: QuantizedFormat): Promise<void> {
  const job = await attempt(() => client["models.setUpStarter"]({ format }), say)
  if (job) models.update({ setUp: { jobId: job.id } })
}

export async function cancelJob(jobId: string): Promise<void> {
  await attempt(() => client["jobs.cancel"]({ jobId }), say)
}

export async function dismissJob(jobId: string): Promise<void> {
  models.update((part) => (part.setUp?.jobId === jobId ? { setUp: null } : {}))
  await attempt(() => client["jobs.dismiss"]({ jobId }), say)
}

export async function quantize(options: Parameters<(typeof client)["models.quantize"]>[0]): Promise<Job> {
  const job = await client["models.quantize"](options)
  models.update({ dialog: null })
  return job
}

export async function removeModel(modelId: string): Promise<void> {
  const result = await client["models.remove"]({ modelId })
  models.update({ dialog: null })
  showToast(result.freedBytes > 0 ? t("models.deleted", { size: formatBytes(result.freedBytes) }) : t("models.takenOff"))
}
