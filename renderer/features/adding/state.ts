// What the wizard shows before main has a record of it: the search, the model that is looked at, and the plan at hand.
import type { Addition, AdditionOptions, AdditionStep } from "../../../shared/schema/addition.ts"
import { QuantizedFormat } from "../../../shared/schema/format.ts"
import { type HubModel, type HubModelSummary, HubQuery } from "../../../shared/schema/hub.ts"
import type { ModelInspection } from "../../../shared/schema/model.ts"
import type { FitChange, PlanChoice, PlanReport, PlanRequest } from "../../../shared/schema/plan.ts"
import type { Failure } from "../../lib/failure.ts"
import { slice } from "../../lib/slice.ts"

export type SearchState =
  | { state: "loading"; models: HubModelSummary[] }
  | { state: "ready"; models: HubModelSummary[]; cursor: string | null; endpoint: string }
  | { state: "failed"; models: HubModelSummary[]; failure: Failure }

/** The model at the right: of the hub, or a path on this computer. `model` and `inspection` are null until they have come. */
export type Chosen =
  | { kind: "hub"; name: string; model: HubModel | null; failure: Failure | null }
  | { kind: "local"; path: string; inspection: ModelInspection | null; failure: Failure | null }

/** Of one addition. The old report stays while a new one is computed, so that nothing jumps. */
export interface PlanPart {
  additionId: string
  context: number
  computer: string | null
  report: PlanReport | null
  fit: FitChange[] | null
  failure: Failure | null
}

/** The steps as one sees them; the first has no addition yet. */
export const steps = ["choose", "plan", "download", "quantize", "done"] as const
export type Step = (typeof steps)[number]

export interface AddingPart {
  query: HubQuery
  search: SearchState
  chosen: Chosen | null
  isPicking: boolean
  isCreating: boolean
  createFailure: Failure | null
  /** An earlier step that is looked at again. */
  viewed: { additionId: string; step: AdditionStep } | null
  plan: PlanPart | null
}

export const adding = slice<AddingPart>("adding", {
  query: HubQuery.parse({ isSupportedOnly: true }),
  search: { state: "loading", models: [] },
  chosen: null,
  isPicking: false,
  isCreating: false,
  createFailure: null,
  viewed: null,
  plan: null,
})

/** A path of this computer, as people type or paste it; null for words, names and web addresses. */
export function pathIn(text: string): string | null {
  const given = text.trim().replace(/^["']|["']$/g, "")
  if (/^(\/|~\/|\.{1,2}\/|[A-Za-z]:[\\/]|\\\\)/.test(given)) return given
  return /^file:\/\//i.test(given) ? decodeURIComponent(given.replace(/^file:\/\//i, "")) : null
}

/** "org/name" or an address: something to open at once, not to search for. */
export function isModelName(text: string): boolean {
  return /^(https?:\/\/\S+|[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*(@\S+)?)$/.test(text.trim())
}

/** Where an addition stands. A draft is planned; what works or rests is at its step. */
export function stepOf(addition: Addition): AdditionStep {
  return addition.state === "draft" ? "plan" : addition.step
}

/** Whether a step can be looked at: those before where it stands, and the quantizing that goes on beside the download. */
export function isReachable(step: Step, addition: Addition | null): boolean {
  if (step === "choose") return true
  if (!addition) return false
  if (step === "download" && addition.source.kind === "local") return false
  if (step === "quantize" && addition.state !== "draft" && addition.quantize !== null) return true
  return steps.indexOf(step) <= steps.indexOf(stepOf(addition))
}

export function shownStep(addition: Addition, viewed: AddingPart["viewed"]): AdditionStep {
  return viewed?.additionId === addition.id && isReachable(viewed.step, addition) ? viewed.step : stepOf(addition)
}

/** What the planner is asked for an addition. */
export function planRequest({ path, options }: Addition, { context, computer }: Pick<PlanPart, "context" | "computer">) {
  const { blockSize, skipModules, embeddings, experts, computeDtype } = options
  return {
    path,
    context,
    blockSize,
    ...(skipModules ? { skipModules } : {}),
    ...(embeddings ? { embeddings } : {}),
    ...(experts ? { experts } : {}),
    ...(computeDtype ? { compute: computeDtype } : {}),
    ...(computer ? { computer } : {}),
  } satisfies Partial<PlanRequest>
}

export function isQuantizedFormat(format: string): format is QuantizedFormat {
  return QuantizedFormat.safeParse(format).success
}

/** The row of the options. What is not quantized here stays as it is stored. */
export function chosenRow(report: PlanReport, format: AdditionOptions["format"]): PlanChoice | undefined {
  if (format === "stored")
    return report.rows.find((row) => !isQuantizedFormat(row.format)) ?? (report.rows.length === 1 ? report.rows[0] : undefined)
  return report.rows.find((row) => row.format === format)
}

/** The options' format for a row: one that the files have already needs no quantizing. */
export function formatOfRow(row: PlanChoice, report: PlanReport): AdditionOptions["format"] {
  const isOnly = report.rows.length === 1
  return isQuantizedFormat(row.format) && !isOnly ? row.format : "stored"
}

/** One scale for the bars of all rows: the largest, or what can be used, whichever is more. */
export function barScale({ rows, devices }: PlanReport): number {
  return Math.max(...rows.flatMap((row) => [row.total_bytes, row.train?.total_bytes ?? 0]), usableBytes(devices))
}

/** What the model may take of the device it computes on. */
export function usableBytes(devices: PlanReport["devices"]): number {
  return (devices.find(({ kind }) => kind === "gpu") ?? devices.find(({ kind }) => kind === "cpu"))?.usableBytes ?? 0
}

export function downloadBytes({ files }: Pick<Addition, "files">): number {
  return files.reduce((sum, { bytes, state }) => sum + (state === "cached" ? 0 : bytes), 0)
}

/** Those that somebody works on or may go on with, the newest first. */
export function openAdditions(additions: Addition[]): Addition[] {
  return additions.filter(({ state }) => state !== "done").toSorted((a, b) => b.createdAt - a.createdAt)
}
