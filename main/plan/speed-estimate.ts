// How many tokens a second a row of a plan would give: what is read for one token, divided by how fast it is read and multiplied.
//
// On this computer, once its benchmark has run, where m is the share that is mapped from files:
//   1 / (layers * layerSeconds + (1 + m * (1 / mappedFactor - 1)) * (quantized bytes / rate of the format + other bytes / rate of 16 bits)
//        + keys and values / bandwidth)
// On a device that is not here only the bandwidth is known: the bytes divided by it, which no program goes beyond.
import type { Format } from "../../shared/schema/format.ts"
import type { PlanDevice, PlanRow, SpeedEstimate, SpeedProfile } from "../../shared/schema/plan.ts"

export interface SpeedFacts {
  devices: readonly PlanDevice[]
  layers: number
  /** Of this computer's processor; null: not measured, or another computer. */
  profile: SpeedProfile | null
  /** What stays in 16 or 32 bits has this format. */
  plainFormat: Format
}

type SpeedRow = Pick<PlanRow, "format" | "parts" | "devices" | "weight_bytes_per_token" | "mapped_bytes">

/** Null where a device that is read from has no known bandwidth, or nothing is known of the format. */
export function estimateSpeed(row: SpeedRow, facts: SpeedFacts): SpeedEstimate | null {
  const { parts, weight_bytes_per_token: read } = row
  const quantized = parts.weights + parts.scales
  const stored = quantized + parts.unquantized
  if (stored <= 0 || read <= 0) return null
  // What is read beside the quantized layers is the head, and with a mixture of experts the chosen ones, which stay in 16 bits as a rule.
  const quantizedRead = Math.min(quantized, read)
  const part = { quantized: quantizedRead, plain: read - quantizedRead, mapped: row.mapped_bytes / stored }
  let seconds = 0
  for (const [index, { parts: held }] of row.devices.entries()) {
    const device = facts.devices[index]
    const share = (held.weights + held.scales + held.unquantized) / stored
    if (!device || share + held.kv === 0) continue
    const time =
      device.kind === "cpu" && facts.profile
        ? share * weightSeconds(row.format, part, facts, facts.profile) + held.kv / facts.profile.bandwidth
        : (share * read + held.kv) / device.bandwidth
    seconds += time
  }
  if (!(seconds > 0) || !Number.isFinite(seconds)) return null
  const isMeasured = facts.profile !== null && row.devices.every(({ kind, used_bytes }) => kind === "cpu" || used_bytes === 0)
  return { tokensPerS: 1 / seconds, basis: isMeasured ? "measured" : "bandwidth" }
}

/** Of all layers and the head on this computer's processor; not a number where a format has no rate. */
function weightSeconds(
  format: Format,
  { quantized, plain, mapped }: { quantized: number; plain: number; mapped: number },
  { plainFormat, layers }: SpeedFacts,
  { decode, layerSeconds, mappedFactor }: SpeedProfile,
): number {
  const [rate = Number.NaN, plainRate = Number.NaN] = [decode[format], decode[plainFormat]]
  const slower = 1 + mapped * (1 / mappedFactor - 1)
  return layers * layerSeconds + slower * (quantized / rate + plain / plainRate)
}
