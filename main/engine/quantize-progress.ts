// What quantizing tells while it works and when it is done, whichever way the weights come.
import type { z } from "zod"
import type { QuantizeProgress, QuantizeReport } from "../../shared/contract/engine.ts"
import type { QuantizedFormat } from "../../shared/schema/format.ts"
import type { PlannedTensor } from "./checkpoint-layout.ts"
import type { QuantizePlan } from "./quantize-plan.ts"

export type Progress = z.output<typeof QuantizeProgress>

export function parametersOf(tensors: PlannedTensor[]): number {
  return tensors.reduce((sum, { parameters }) => sum + parameters, 0)
}

/** Those that the engine computes: what is only copied byte for byte is not counted in progress. */
export function countedParameters(tensors: PlannedTensor[]): number {
  return parametersOf(tensors.filter(({ action }) => action.kind !== "bytes"))
}

export function quantizedOf(tensors: PlannedTensor[]): PlannedTensor[] {
  return tensors.filter(({ action }) => action.kind === "quantize")
}

export function bytesOf(tensors: PlannedTensor[]): number {
  return tensors.reduce((sum, { entries }) => sum + entries.reduce((bytes, entry) => bytes + entry.bytes, 0), 0)
}

export interface Reporter {
  report(progress: Progress): void
  /** Sends what was held back. */
  flush(): void
}

const pause_ms = 50

/**
 * About 20 events a second; each carries the totals, so that those between may be lost. Errors are said once each: those of an event
 * that is held back come with the next.
 */
export function createReporter(emit: (progress: Progress) => Promise<void>): Reporter {
  let last = Number.NEGATIVE_INFINITY
  let held: Progress | null = null
  let errors: NonNullable<Progress["errors"]> = []
  const send = (progress: Progress, now: number) => {
    last = now
    held = null
    void emit({ ...progress, ...(errors.length > 0 ? { errors } : {}) })
    errors = []
  }
  return {
    report(progress) {
      const now = performance.now()
      errors.push(...(progress.errors ?? []))
      const { errors: _, ...totals } = progress
      if (now - last < pause_ms && progress.parametersDone < progress.parametersTotal) held = totals
      else send(totals, now)
    },
    flush() {
      if (held) send(held, performance.now())
    },
  }
}

export function quantizeReport(about: {
  out: string
  format: QuantizedFormat
  plan: QuantizePlan
  bytesOut: number
  seconds: number
  /** Quantized, and the time that reading, encoding and writing took. */
  speed: { parameters: number; seconds: number }
  peakResidentBytes: number
}): QuantizeReport {
  const { out, format, plan, bytesOut, seconds, speed, peakResidentBytes } = about
  const quantized = quantizedOf(plan.tensors)
  return {
    out,
    format,
    tensors_quantized: quantized.length,
    tensors_kept: plan.tensors.length - quantized.length,
    kept: plan.kept,
    bytes_in: plan.tensors.reduce((sum, tensor) => sum + tensor.source.data.bytes, 0),
    bytes_out: bytesOut,
    seconds,
    parameters_per_second: speed.seconds > 0 ? speed.parameters / speed.seconds : 0,
    peak_rss_bytes: peakResidentBytes,
  }
}
