// Which row of a plan is the one to take.
//
// The rule: of the rows that fit with room to spare and that could also be fine-tuned, the one of best quality. Where none can be fine-tuned:
// the one of best quality that fits with room to spare. Where none has room to spare: the smallest that fits, then the smallest that runs
// with a part of it on slower devices, then, when nothing fits, the smallest, which says how much is missing.
// Quality is compared by format, not by the estimate: estimates of two models, or a measurement beside an estimate, must not change sides.
import type { PlanChoice, PlanDevice, Recommendation } from "../../shared/schema/plan.ts"
import { byQuality } from "./quality-figures.ts"

export type Row = Pick<PlanChoice, "format" | "verdict" | "total_bytes" | "devices" | "context" | "train" | "parts">

/** `rows`: at least one. */
export function recommend(rows: readonly Row[], devices: readonly PlanDevice[]): Recommendation {
  const chosen = choose(rows)
  const { format, context } = chosen.row
  return { format, context, reason: chosen.reason, spareBytes: spareOf(chosen.row, devices) }
}

function choose(rows: readonly Row[]): { row: Row; reason: Recommendation["reason"] } {
  const best = rows.toSorted((a, b) => byQuality.indexOf(a.format) - byQuality.indexOf(b.format))
  const smallest = rows.toSorted((a, b) => a.total_bytes - b.total_bytes)
  const easy = best.filter(({ verdict }) => verdict === "fits")
  const trainable = easy.filter(({ train }) => train?.verdict === "fits" || train?.verdict === "tight")
  const running = rows.filter(({ verdict }) => verdict !== "too_big")
  const [first] = easy
  const row = trainable[0] ?? first
  if (row) {
    if (running.length === 1 && rows.length > 1) return { row, reason: "only_one_that_fits" }
    return { row, reason: row === first ? "best_that_fits" : "room_to_train" }
  }
  const tight = smallest.find(({ verdict }) => verdict === "tight") ?? smallest.find(({ verdict }) => verdict === "partly")
  if (tight) return { row: tight, reason: running.length === 1 && rows.length > 1 ? "only_one_that_fits" : "smallest" }
  return { row: smallest[0] as Row, reason: "nothing_fits" }
}

/**
 * What is left of the fullest device that holds a part of the model, disks aside. Negative: what would have to lie elsewhere for all of it
 * to be on the first device.
 */
export function spareOf(
  { verdict, devices: used, parts, total_bytes: total }: Pick<Row, "verdict" | "devices" | "parts" | "total_bytes">,
  devices: readonly PlanDevice[],
): number {
  const [first] = devices
  if (verdict === "fits" || verdict === "tight") {
    const free = used.filter(({ kind, used_bytes }) => kind !== "disk" && used_bytes > 0).map(({ free_bytes }) => free_bytes)
    return Math.min(...free)
  }
  // The program itself is in memory wherever the model is.
  const needed = first?.kind === "gpu" ? total - parts.context : total
  return (first?.usableBytes ?? 0) - needed
}
