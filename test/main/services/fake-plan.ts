// Plans of the fake engine: a model of 10^9 parameters of two layers, whose memory is simple arithmetic; all on the first device.
import type { z } from "zod"
import type { EngineContract } from "../../../shared/contract/engine.ts"
import { AppError } from "../../../shared/schema/error.ts"
import type { Format } from "../../../shared/schema/format.ts"
import { memoryOwners, type PlanRow, type SpeedProfile } from "../../../shared/schema/plan.ts"

type Rows = EngineContract["plan.rows"]

const weights: Partial<Record<Format, number>> = { bf16: 2e9, int8: 1e9, nf4: 0.55e9, "nf4-dq": 0.52e9, fp4: 0.55e9, "fp4-dq": 0.52e9 }

export function fakePlan(request: z.output<Rows["input"]>): z.output<Rows["output"]> {
  const formats = request.formats ?? (Object.keys(weights) as Format[])
  return { rows: formats.map((format) => fakeRow(request, format)), contextLimit: 32768, layers: 2, parameters: 1e9, storedAs: "bf16" }
}

function fakeRow({ path, mode, context = 0, usedTokens, train, devices, embeddings }: z.output<Rows["input"]>, format: Format): PlanRow {
  const bytes = weights[format]
  if (bytes === undefined || /quantized/.test(path)) throw new AppError("bad_input", `${path} cannot be had in ${format}.`)
  const none = Object.fromEntries(memoryOwners.map((owner) => [owner, 0])) as PlanRow["parts"]
  const length = context || 8192
  const kept = embeddings ? 0.1e9 : 0.4e9
  const work = mode === "train" ? { optimizer: train.rank * 1e7 } : { kv: (usedTokens || length) * 1e5 }
  const parts = { ...none, weights: bytes, unquantized: kept, context: 0.1e9, ...work }
  const total = Object.values(parts).reduce((sum, one) => sum + one, 0)
  const usable = devices[0]?.usableBytes ?? 0
  const verdict = total <= usable * 0.9 ? "fits" : total <= usable ? "tight" : "too_big"
  return {
    ...{ format, disk_bytes: bytes + kept, footprint_bytes: bytes + kept, parts, total_bytes: total, mapped_bytes: 0 },
    devices: devices.map(({ name, kind, usableBytes }, i) => {
      const used = i === 0 ? total : 0
      return { name, kind, used_bytes: used, free_bytes: usableBytes - used, parts: i === 0 ? parts : none }
    }),
    ...{ fits: verdict !== "too_big", verdict, device_map: { "model.layers.0": devices[0]?.name ?? "" } },
    ...{ kv_bytes_per_token: 1e5, context: length, weight_bytes_per_token: bytes + kept, tensors_quantized: 14 },
    trainable_parameters: mode === "train" ? train.rank * 1e5 : 0,
  }
}

export const fakeSpeed: SpeedProfile = {
  ...{ isa: "fake", threads: 2, measuredAt: 1000, bandwidth: 2e10, layerSeconds: 1e-5, mappedFactor: 0.9 },
  decode: { fp32: 2e10, fp16: 2e10, bf16: 2e10, int8: 2e10, nf4: 1e10, "nf4-dq": 1e10, fp4: 1e10, "fp4-dq": 1e10 },
  prefill: { bf16: 1e11, nf4: 1e11 },
}
