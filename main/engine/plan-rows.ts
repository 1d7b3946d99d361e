// The rows of a plan: what each format of a model would take, from a dry run of what loads and runs it.
import type { z } from "zod"
import type { EngineContract } from "../../shared/contract/engine.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { Format } from "../../shared/schema/format.ts"
import { type MemoryParts, memoryOwners, type PlanRow } from "../../shared/schema/plan.ts"
import type { EngineAddon, NativeMemory, NativePlacement, NativeTrainPlan } from "./addon-types.ts"
import { chooseCompute, chooseContext } from "./load.ts"
import { contextBytes } from "./memory.ts"
import type { MemoryBase } from "./model-slot.ts"
import type { PlanCache } from "./plan-cache.ts"
import type { PlanModel, PlanSource } from "./plan-source.ts"

export type PlanRowsRequest = z.output<EngineContract["plan.rows"]["input"]>

/** `base`: the engine's process without a model. */
export async function planRows(
  addon: EngineAddon,
  cache: PlanCache,
  request: PlanRowsRequest,
  base: MemoryBase,
): Promise<z.output<EngineContract["plan.rows"]["output"]>> {
  const model = await cache.model(request.path)
  const { contextLimit, layers, parameters, storedAs } = model
  const rows: PlanRow[] = []
  for (const format of request.formats ?? model.formats) {
    rows.push(planRow(addon, request, base, { model, format, source: await model.open(format, request) }))
  }
  return { rows, contextLimit, layers, parameters, storedAs }
}

interface Opened {
  model: PlanModel
  source: PlanSource
  format: Format
}

function planRow(addon: EngineAddon, request: PlanRowsRequest, base: MemoryBase, { model, source, format }: Opened): PlanRow {
  const context = chooseContext(model, request.context)
  // A cache for as many tokens as are in use has the size of what is used of a longer one.
  const tokens = request.usedTokens > 0 ? Math.min(request.usedTokens, context) : context
  // Training takes far more later than making the tokenizer did.
  const later = request.mode === "train" ? Number.POSITIVE_INFINITY : tokens * source.planner.kvBytesPerToken
  const baseBytes = contextBytes(base, model.vocabularySize, later)
  const placement = source.planner.place({
    context: tokens,
    compute: chooseCompute(addon, { compute: request.compute, backend: "auto" }),
    threads: request.threads,
    backend: "auto",
    devices: request.devices.map(({ name, kind, usableBytes }) => ({ name, kind, usableBytes: Math.max(0, Math.floor(usableBytes)) })),
    modules: source.modules,
    baseBytes,
    ...(request.mode === "train" ? { train: trainPlan(request, model, source) } : {}),
    ...(request.deviceMap === "auto"
      ? {}
      : { deviceMap: Object.entries(request.deviceMap).map(([module, device]) => ({ module, device })) }),
  })
  const parts = partsOf(placement.plan, baseBytes)
  return {
    format,
    disk_bytes: source.diskBytes,
    footprint_bytes: source.footprintBytes,
    parts,
    total_bytes: sumOf(parts),
    mapped_bytes: placement.plan.mapped,
    devices: devicesOf(request, placement, baseBytes),
    fits: placement.verdict === "fits" || placement.verdict === "tight",
    verdict: placement.verdict,
    device_map: placement.deviceMap,
    kv_bytes_per_token: source.planner.kvBytesPerToken,
    context,
    weight_bytes_per_token: source.planner.weightBytesPerToken,
    trainable_parameters: placement.trainableParameters,
    tensors_quantized: source.tensorsQuantized,
  }
}

function trainPlan({ train: { targets, ...sizes } }: PlanRowsRequest, { name }: PlanModel, { adaptable }: PlanSource): NativeTrainPlan {
  if (targets === "all-linear") return sizes
  // As PEFT reads such a list: a module's whole name, or the end of it from a dot on.
  const isWanted = (module: string) => targets.some((target) => module === target || module.endsWith(`.${target}`))
  const roles = adaptable.filter(({ module }) => isWanted(module)).map(({ role }) => role)
  if (roles.length > 0) return { ...sizes, targets: roles }
  throw new AppError(
    "bad_input",
    `No linear layer of ${name} is named ${targets.join(" or ")}, so there is nothing to train.`,
    'Take "all-linear", or names such as q_proj.',
  )
}

function devicesOf({ devices }: PlanRowsRequest, { used, home }: NativePlacement, baseBytes: number): PlanRow["devices"] {
  return devices.map(({ name, kind, usableBytes }, i) => {
    const parts = partsOf(used[i] as NativeMemory, i === home ? baseBytes : 0)
    return { name, kind, used_bytes: sumOf(parts), free_bytes: usableBytes - sumOf(parts), parts }
  })
}

export function partsOf(memory: NativeMemory, baseBytes: number): MemoryParts {
  const { mapped: _, total: __, ...owners } = memory
  return { ...owners, context: baseBytes }
}

export function sumOf(parts: MemoryParts): number {
  return memoryOwners.reduce((sum, owner) => sum + parts[owner], 0)
}
