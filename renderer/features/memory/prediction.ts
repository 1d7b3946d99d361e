// What a plan says of each device, beside what that device holds now.
import type { PlanChoice, PlanDevice, PlanReport } from "../../../shared/schema/plan.ts"
import { type BarSegment, partsAsSegments } from "../../ui/memory-bar.tsx"

export interface DevicePrediction {
  device: PlanDevice
  segments: BarSegment[]
  usedBytes: number
  usableBytes: number
  /** Positive: too much. */
  overBytes: number
}

/** Of the devices that memory is taken of, GPUs first; disk is no memory. */
export function predictionsOf(row: PlanChoice, report: PlanReport): DevicePrediction[] {
  return row.devices.flatMap(({ name, used_bytes, parts }) => {
    const device = report.devices.find((one) => one.name === name)
    if (!device || device.kind === "disk" || used_bytes === 0) return []
    const { usableBytes } = device
    return [{ device, segments: partsAsSegments(parts), usedBytes: used_bytes, usableBytes, overBytes: used_bytes - usableBytes }]
  })
}

/** The one that decides: with most too much, or least left. */
export function fullest(predictions: DevicePrediction[]): DevicePrediction | null {
  return predictions.reduce<DevicePrediction | null>(
    (worst, one) => (worst === null || one.overBytes > worst.overBytes ? one : worst),
    null,
  )
}

/** How far the axis goes: past the usable line where that is near, else as far as something can be seen. */
export function axisOf({ usedBytes, usableBytes }: DevicePrediction, nowBytes: number): number {
  const most = Math.max(usedBytes, nowBytes)
  return Math.max(most * 1.04, Math.min(usableBytes * 1.06, most * 2.5))
}
