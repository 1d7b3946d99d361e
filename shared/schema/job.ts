// Long work that main owns: it survives a reload of the page.
import { z } from "zod"
import { ErrorData } from "./error.ts"

export const JobProgress = z.object({
  phase: z.enum(["waiting", "download", "verify", "extract", "quantize", "check", "load", "copy"]),
  done: z.number(),
  /** 0 = unknown. */
  total: z.number(),
  unit: z.enum(["bytes", "parameters", "tokens", "fraction"]),
  /** Units per second over the last seconds; 0 = not known yet. */
  rate: z.number(),
  secondsLeft: z.number().nullable(),
  /** The file or tensor at hand. */
  item: z.string(),
})
export type JobProgress = z.infer<typeof JobProgress>

export const Job = z.object({
  id: z.string(),
  kind: z.enum(["starter", "quantize", "import"]),
  /** Name of the model it is about. */
  subject: z.string(),
  state: z.enum(["running", "done", "failed", "cancelled"]),
  progress: JobProgress,
  /** Installed model it made, when done. */
  modelId: z.string().nullable(),
  error: ErrorData.nullable(),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
})
export type Job = z.infer<typeof Job>
