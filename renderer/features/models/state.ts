// What the page shows about getting models: the first run, the open dialog, the steps of a job.
import type { Snapshot } from "../../../shared/contract/app.ts"
import type { Job, JobProgress } from "../../../shared/schema/job.ts"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { describeFailure, type Failure } from "../../lib/failure.ts"
import { slice } from "../../lib/slice.ts"

export type ModelsDialog = null | { kind: "details" | "quantize" | "remove" | "outliers"; modelId: string }

export interface ModelsPart {
  /** The job that the first screen started. */
  setUp: null | { jobId: string }
  dialog: ModelsDialog
}

export const models = slice<ModelsPart>("models", { setUp: null, dialog: null })

export type FirstRun = { show: "offer"; ended: Job | null } | { show: "progress"; job: Job } | { show: "nothing" }

type FirstRunSource = Pick<Snapshot, "jobs" | "models" | "load">

/** Whether the first screen stands in the chat's place: until there is a model, and while the one it gets is on its way. */
export function firstRun({ jobs, models, load }: FirstRunSource, setUp: ModelsPart["setUp"]): FirstRun {
  const mine = jobs.find((job) => job.id === setUp?.jobId)
  // After a reload of the page nobody remembers who began; a starter job shows itself.
  const job = mine ?? jobs.find((other) => other.kind === "starter" && other.state === "running")
  if (job?.state === "running") return { show: "progress", job }
  const hasEndedBadly = job !== undefined && job.state !== "done"
  if (!models.some((model) => model.supported)) return { show: "offer", ended: hasEndedBadly ? job : null }
  if (hasEndedBadly && load.state === "none") return { show: "offer", ended: job }
  return { show: "nothing" }
}

export type Step = "download" | "copy" | "quantize" | "load"

const stepOfPhase: Record<JobProgress["phase"], Step | null> = {
  waiting: null,
  download: "download",
  verify: "download",
  extract: "download",
  copy: "copy",
  quantize: "quantize",
  check: null,
  load: "load",
}
const stepsOfKind: Record<Job["kind"], Step[]> = {
  starter: ["download", "quantize", "load"],
  import: ["copy"],
  quantize: ["quantize", "load"],
}

/** The steps of a job with the one that it is at. */
export function jobSteps(job: Job): { step: Step; is: "done" | "now" | "waiting" }[] {
  const steps = stepsOfKind[job.kind]
  const step = stepOfPhase[job.progress.phase]
  const at = job.state === "done" ? steps.length : step === null ? 0 : steps.indexOf(step)
  return steps.map((one, index) => ({ step: one, is: index < at ? "done" : index === at ? "now" : "waiting" }))
}

/** Share of the phase at hand; null where the total is not known. */
export function phaseFraction({ done, total, unit }: JobProgress): number | null {
  if (total > 0) return Math.min(1, done / total)
  return unit === "fraction" ? Math.min(1, done) : null
}

/** Supported ones first, newest first. */
export function sortModels(list: InstalledModel[]): InstalledModel[] {
  return list.toSorted((a, b) => Number(b.supported) - Number(a.supported) || b.addedAt - a.addedAt)
}

/** Why a model cannot be run, as an error of main's. */
export function whyUnsupported({ name, reason }: { name: string; reason: string | null }): Failure {
  return describeFailure({ code: "unsupported", message: reason ?? name })
}

/** Quantized, the folder is for transformers; nothing here can run either. */
export function isOnlyQuantizable({ supported, canBeQuantized }: { supported: boolean; canBeQuantized: boolean }): boolean {
  return !supported && canBeQuantized
}

/** Of "hub:org/name@revision", "pypi:name@version", "quantized:<id>", "local": what it is of, and which version. */
export function sourceOf(source: string): { kind: string; name: string; revision: string | null } {
  const [, kind = source, name = "", revision = null] = source.match(/^([^:]+):([^@]*)(?:@(.*))?$/s) ?? []
  return kind === "hub" || kind === "pypi" ? { kind, name, revision } : { kind, name: "", revision: null }
}

/** Of the parameters of a mixture. */
export function expertShare({ expert_parameters, parameters }: { expert_parameters: number; parameters: number }): number {
  return parameters > 0 ? expert_parameters / parameters : 0
}

/** Jobs worth a look on the models page: what runs, and what failed until it is put away. */
export function shownJobs(jobs: Job[]): Job[] {
  return jobs.filter((job) => job.state === "running" || job.state === "failed")
}
