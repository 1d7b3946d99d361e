import type { MemoryPlan } from "../../../../shared/schema/model.ts"
import { type MemoryParts, memoryOwners, type PlanChoice, type PlanDevice, type PlanReport } from "../../../../shared/schema/plan.ts"
import type { MemorySnapshot } from "../../../../shared/schema/system.ts"

export const plan: MemoryPlan = {
  weights: 400,
  scales: 40,
  unquantized: 160,
  kv: 200,
  activations: 50,
  logits: 10,
  scratch: 40,
  mapped: 600,
  total: 900,
}

export function measured(difference: Partial<MemorySnapshot> = {}): MemorySnapshot {
  return {
    at: 0,
    totalBytes: 10_000,
    availableBytes: 5000,
    nibbleBytes: 0,
    plan: null,
    engineBytes: 60,
    inUse: null,
    mappedBytes: null,
    programBytes: 100,
    windowBytes: null,
    others: [],
    reserveBytes: 500,
    disk: { totalBytes: 1, freeBytes: 1, modelsBytes: 0, offloadBytes: 0 },
    cpuBusy: 0,
    gpus: [],
    missing: [],
    ...difference,
  }
}

export const noParts = Object.fromEntries(memoryOwners.map((owner) => [owner, 0])) as MemoryParts

export function deviceOf(name: string, usableBytes: number, totalBytes = usableBytes): PlanDevice {
  const kind = name === "cpu" || name === "disk" ? name : "gpu"
  return { name, kind, label: name, totalBytes, usableBytes, bandwidth: 1 }
}

export function rowOf(difference: Partial<PlanChoice> = {}): PlanChoice {
  return {
    ...{ format: "nf4", disk_bytes: 1, footprint_bytes: 1, parts: noParts, total_bytes: 1, mapped_bytes: 0, devices: [] },
    ...{ fits: true, verdict: "fits", device_map: {}, kv_bytes_per_token: 1, context: 4096, weight_bytes_per_token: 1 },
    ...{ trainable_parameters: 0, tensors_quantized: 0, speed: null, quality: null, train: null },
    ...difference,
  }
}

export function reportOf(difference: Partial<PlanReport> = {}): PlanReport {
  const recommendation = { format: "nf4-dq" as const, reason: "best_that_fits" as const, spareBytes: 1, context: 4096 }
  return {
    rows: [rowOf()],
    recommendation,
    devices: [deviceOf("cpu", 1000)],
    contextLimit: 8192,
    layers: 4,
    parameters: 1,
    storedAs: "bf16",
    ...difference,
  }
}
