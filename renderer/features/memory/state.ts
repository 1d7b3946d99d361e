// What the Memory place shows: what is thought of ("what if"), and what the planner said of it.
import type { LoadState, Snapshot } from "../../../shared/contract/app.ts"
import type { Format } from "../../../shared/schema/format.ts"
import {
  type CapacityTable,
  type FitChange,
  type PlanChoice,
  type PlanComputer,
  type PlanReport,
  type PlanRequest,
  TrainPlan,
} from "../../../shared/schema/plan.ts"
import type { Failure } from "../../lib/failure.ts"
import { slice } from "../../lib/slice.ts"
import type { DeviceMap } from "./placement.ts"

export interface WhatIf {
  mode: "chat" | "train"
  /** Of the model's files; null: there is nothing to plan for. */
  path: string | null
  /** "stored" and null until the planner has told which that are: the one of its files, and the one that it recommends. */
  format: Format | "stored" | null
  /** 0 = what the model can do, at most 8192. */
  context: number
  embeddings: PlanRequest["embeddings"]
  train: TrainPlan
  /** Of the planner's list; null: this one. */
  computer: string | null
  deviceMap: "auto" | DeviceMap
}

export interface MemoryPart {
  /** null until the page is first looked at. */
  whatIf: WhatIf | null
  /** False while what is thought of is what is. */
  isChanged: boolean
  /** The last answer stays while the next is computed. */
  report: PlanReport | null
  /** All rows of the model at hand, for the list of formats; the first is that of its files. */
  choices: PlanChoice[]
  planFailure: Failure | null
  /** Of the report at hand; null while it is not known. */
  fit: FitChange[] | null
  /** That can be planned for besides this one. */
  computers: PlanComputer[]
  capacity: { computer: string | null; table: CapacityTable | null; failure: Failure | null }
  /** What unloading gave back, measured. */
  proof: { before: number; after: number | null } | null
  isTable: boolean
  /** Raised with each sample of the history. */
  samples: number
}

export const memoryPart = slice<MemoryPart>("memory", {
  whatIf: null,
  isChanged: false,
  report: null,
  choices: [],
  planFailure: null,
  fit: null,
  computers: [],
  capacity: { computer: null, table: null, failure: null },
  proof: null,
  isTable: false,
  samples: 0,
})

type Models = Pick<Snapshot, "models" | "load" | "additions">

/** As things are: the loaded model, or the newest there is. */
export function asItIs({ models, load, additions }: Models): WhatIf {
  const loaded = load.state === "ready" ? load.model : null
  const newest = models.filter(({ supported }) => supported).toSorted((a, b) => b.addedAt - a.addedAt)[0]
  return {
    mode: "chat",
    path: loaded?.path ?? newest?.path ?? additions.find(({ path }) => path !== "")?.path ?? null,
    format: loaded ? "stored" : null,
    context: loaded?.context ?? 0,
    embeddings: undefined,
    train: TrainPlan.parse({}),
    computer: null,
    deviceMap: "auto",
  }
}

export interface PlannableModel {
  path: string
  name: string
  /** The format of its files; null while it is not here. */
  format: string | null
  modelId: string | null
  additionId: string | null
}

/** Installed models, then models that are being added, each once. */
export function plannable({ models, additions }: Pick<Snapshot, "models" | "additions">): PlannableModel[] {
  const installed = models
    .filter(({ supported }) => supported)
    .toSorted((a, b) => b.addedAt - a.addedAt)
    .map(({ id, path, name, format }) => ({ path, name, format, modelId: id, additionId: null }))
  const known = new Set(installed.map(({ path }) => path))
  const coming = additions
    .filter(({ path, modelId }) => path !== "" && modelId === null && !known.has(path))
    .map(({ id, path, name }) => ({ path, name, format: null, modelId: null, additionId: id }))
  return [...installed, ...coming]
}

export function requestOf({ mode, path, context, embeddings, train, computer, deviceMap }: WhatIf & { path: string }): PlanRequest {
  return {
    ...{ path, mode, context, train, deviceMap },
    ...{ usedTokens: 0, threads: 0, blockSize: 64 as const, maxMemory: {} },
    ...(embeddings ? { embeddings } : {}),
    ...(computer === null ? {} : { computer }),
  }
}

/** The format to look at, once all rows of a model are there. */
export function settledFormat({ rows, recommendation }: PlanReport, format: WhatIf["format"]): Format {
  const isThere = rows.some((row) => row.format === format)
  if (format !== null && format !== "stored" && isThere) return format
  return (format === "stored" ? rows[0]?.format : undefined) ?? recommendation.format
}

/** The row of that format; where there is none, the first. */
export function chosenRow({ rows }: PlanReport, format: WhatIf["format"]): PlanChoice | null {
  return rows.find((row) => row.format === format) ?? rows[0] ?? null
}

/** With a change that makes it fit. */
export function applied(whatIf: WhatIf, { format, context, embeddings, deviceMap, train }: FitChange["change"]): WhatIf {
  return {
    ...whatIf,
    ...(format === undefined ? {} : { format }),
    ...(context === undefined ? {} : { context }),
    ...(embeddings === undefined ? {} : { embeddings }),
    ...(deviceMap === undefined ? {} : { deviceMap }),
    ...(train === undefined ? {} : { train }),
  }
}

export type NextStep =
  | { kind: "load"; modelId: string; context: number }
  | { kind: "quantize"; modelId: string; format: Format }
  | { kind: "goOn"; additionId: string }
  | { kind: "loaded" }

interface Wished {
  model: PlannableModel | undefined
  row: PlanChoice
  /** Of the model's files. */
  stored: Format | undefined
  whatIf: WhatIf
  load: LoadState
}

/** What can be done with a plan that fits on this computer; null where there is nothing. */
export function nextStep({ model, row, stored, whatIf, load }: Wished): NextStep | null {
  if (!model || !row.fits || whatIf.computer !== null || whatIf.mode === "train" || whatIf.deviceMap !== "auto") return null
  if (model.additionId !== null) return { kind: "goOn", additionId: model.additionId }
  const { modelId } = model
  if (modelId === null) return null
  if (row.format !== stored) return { kind: "quantize", modelId, format: row.format }
  const isLoaded = load.state === "ready" && load.model.id === modelId && load.model.context === row.context
  return isLoaded ? { kind: "loaded" } : { kind: "load", modelId, context: row.context }
}
