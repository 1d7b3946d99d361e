// Rows of plans for the tests of what is made of them: sizes in whole units, so that sums can be read.
import type { Format } from "../../../shared/schema/format.ts"
import {
  type MemoryParts,
  memoryOwners,
  type PlanChoice,
  type PlanDevice,
  type PlanRow,
  type SpeedProfile,
} from "../../../shared/schema/plan.ts"

export const device = (name: string, usable: number, bandwidth = 100): PlanDevice => ({
  ...{ name, kind: name === "cpu" || name === "disk" ? name : "gpu", label: name },
  ...{ totalBytes: usable * 2, usableBytes: usable, bandwidth },
})

export function partsOf(parts: Partial<MemoryParts>): MemoryParts {
  return { ...(Object.fromEntries(memoryOwners.map((owner) => [owner, 0])) as MemoryParts), ...parts }
}

const sum = (parts: MemoryParts) => Object.values(parts).reduce((total, bytes) => total + bytes, 0)

/** All on the first device. */
export function row(format: Format, parts: Partial<MemoryParts>, devices: PlanDevice[], own: Partial<PlanRow> = {}): PlanRow {
  const whole = partsOf(parts)
  const total = sum(whole)
  const [first] = devices
  const usable = first?.usableBytes ?? 0
  const verdict = total <= usable * 0.9 ? "fits" : total <= usable ? "tight" : "too_big"
  return {
    ...{ format, disk_bytes: whole.weights, footprint_bytes: whole.weights, parts: whole, total_bytes: total, mapped_bytes: 0 },
    devices: devices.map(({ name, kind, usableBytes }, i) => {
      const used = i === 0 ? whole : partsOf({})
      return { name, kind, used_bytes: sum(used), free_bytes: usableBytes - sum(used), parts: used }
    }),
    ...{ fits: verdict !== "too_big", verdict, device_map: { "model.layers.0": first?.name ?? "", "model.layers.1": first?.name ?? "" } },
    ...{
      kv_bytes_per_token: 1,
      context: 1024,
      weight_bytes_per_token: whole.weights + whole.scales,
      trainable_parameters: 0,
      tensors_quantized: 0,
    },
    ...own,
  }
}

export function choice(of: PlanRow, own: Partial<PlanChoice> = {}): PlanChoice {
  return { ...of, speed: null, quality: null, train: { total_bytes: of.total_bytes, verdict: of.verdict }, ...own }
}

export const profile: SpeedProfile = {
  ...{ isa: "avx2", threads: 2, measuredAt: 1, bandwidth: 1000, layerSeconds: 0.01, mappedFactor: 0.8 },
  decode: { bf16: 1000, fp16: 500, int8: 400, nf4: 200 },
  prefill: { bf16: 1, nf4: 1 },
}
