// A plan as people are shown it: the engine's rows with speed, quality, what training would take, and one that is recommended.
import type { EngineContract } from "../../shared/contract/engine.ts"
import type { Client } from "../../shared/rpc.ts"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import type { Format } from "../../shared/schema/format.ts"
import type { PlanChoice, PlanDevice, PlanReport, PlanRequest, PlanRow, SpeedProfile } from "../../shared/schema/plan.ts"
import { type MeasuredShare, qualityOf } from "./quality-figures.ts"
import { recommend } from "./recommend.ts"
import { estimateSpeed, type SpeedFacts } from "./speed-estimate.ts"

export type PlanEngine = Pick<Client<EngineContract>, "plan.rows">

/** Where it is planned for. */
export interface PlanPlace {
  devices: PlanDevice[]
  /** null: not measured, or another computer. */
  profile: SpeedProfile | null
}

export async function engineRows(client: PlanEngine, request: PlanRequest, { devices }: PlanPlace, signal?: AbortSignal) {
  const { maxMemory: _, computer: __, ...rest } = request
  return client["plan.rows"]({ ...rest, devices }, signal)
}

export async function planReport(
  client: PlanEngine,
  request: PlanRequest,
  place: PlanPlace,
  measured: MeasuredShare,
  trainedRows: (formats: Format[], contextLimit: number) => Promise<PlanRow[]>,
): Promise<PlanReport> {
  const { rows, ...about } = await engineRows(client, request, place)
  const { contextLimit, layers, parameters } = about
  if (rows.length === 0) throw new AppError("bad_input", "No format was asked for.")
  const trained =
    request.mode === "train"
      ? rows
      : await trainedRows(
          rows.map(({ format }) => format),
          contextLimit,
        )
  const facts = speedFacts(place, layers, rows)
  const choices = rows.map((row): PlanChoice => {
    const training = trained.find(({ format }) => format === row.format)
    return {
      ...row,
      speed: estimateSpeed(row, facts),
      quality: qualityOf(row.format, parameters, measured),
      train: training ? { total_bytes: training.total_bytes, verdict: training.verdict } : null,
    }
  })
  return { rows: choices, recommendation: recommend(choices, place.devices), devices: place.devices, ...about }
}

export function speedFacts({ devices, profile }: PlanPlace, layers: number, rows: readonly PlanRow[]): SpeedFacts {
  const plain = rows.find(({ format }) => /^(fp32|fp16|bf16)$/.test(format))
  return { devices, layers, profile, plainFormat: plain?.format ?? "bf16" }
}

/** What training would take where a chat is planned, on sequences that the model can read. A model that cannot be trained has no such rows; everything else is an error. */
export async function rowsOfTraining(client: PlanEngine, request: PlanRequest, formats: Format[], place: PlanPlace): Promise<PlanRow[]> {
  try {
    return (await engineRows(client, { ...request, formats, mode: "train" }, place)).rows
  } catch (thrown) {
    if (toErrorData(thrown).code === "unsupported") return []
    throw thrown
  }
}
