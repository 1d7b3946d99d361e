// Who holds the memory at this moment: the engine's plan says what was set aside, the system says how much of it is really in use.
import type { MemoryPlan } from "../../../shared/schema/model.ts"
import type { GpuSnapshot, MemorySnapshot } from "../../../shared/schema/system.ts"
import type { BarSegment } from "../../ui/memory-bar.tsx"

/** Nibble's own, in the order in which bars and tables show them; "context" is what its processes take by themselves. */
export const ownOwners = ["weights", "scales", "unquantized", "kv", "activations", "scratch", "context", "window"] as const
export type OwnOwner = (typeof ownOwners)[number]

export interface OwnShare {
  owner: OwnOwner
  /** In memory now. */
  bytes: number
  /** Set aside for it; null where nobody sets anything aside. */
  planned: number | null
}

type PlannedOwner = "weights" | "scales" | "unquantized" | "kv" | "activations" | "scratch"
const mappedOwners = ["weights", "scales", "unquantized"] as const

/** Of the plan's owners as the page names them; the logits are activations to a reader. */
function plannedOf(plan: Pick<MemoryPlan, PlannedOwner | "logits">): Record<PlannedOwner, number> {
  const { weights, scales, unquantized, kv, activations, logits, scratch } = plan
  return { weights, scales, unquantized, kv, activations: activations + logits, scratch }
}

/**
 * Nibble's memory by owner. The whole is measured. Within it, the engine tells what is in use for as many tokens as there were, else what the
 * plan sets aside counts; what is mapped from files and not read yet is missing from the weights; what is short beyond that, from the cache of
 * keys and values first, since that fills token by token; what is more is the processes' own.
 */
export function ownShares(memory: MemorySnapshot): OwnShare[] {
  const { plan, inUse, engineBytes, programBytes, windowBytes } = memory
  const planned = plan ? plannedOf(plan) : null
  const shares = new Map<OwnOwner, number>(plan ? (Object.entries(plannedOf(inUse ?? plan)) as [PlannedOwner, number][]) : [])
  let beyond = engineBytes
  if (plan) {
    const total = [...shares.values()].reduce((sum, bytes) => sum + bytes, 0)
    const model = Math.max(0, engineBytes - (inUse?.context ?? Math.max(0, engineBytes - total)))
    const allocated = total - plan.mapped
    const mappedNow = Math.min(plan.mapped, memory.mappedBytes ?? Math.max(0, model - allocated), model)
    const missing = take(shares, ["kv", "scratch", "activations"], Math.max(0, allocated - (model - mappedNow)))
    takeEvenly(shares, plan.mapped - mappedNow + missing)
    beyond = engineBytes - [...shares.values()].reduce((sum, bytes) => sum + bytes, 0)
  }
  shares.set("context", Math.max(0, beyond) + programBytes)
  if (windowBytes !== null) shares.set("window", windowBytes)
  return ownOwners.flatMap((owner) => {
    const bytes = shares.get(owner)
    const aside = planned && owner in planned ? planned[owner as PlannedOwner] : null
    return bytes === undefined || (bytes === 0 && !aside) ? [] : [{ owner, bytes, planned: aside }]
  })
}

/** Takes `bytes` from the owners in turn; what is left to take is the result. */
function take(shares: Map<OwnOwner, number>, owners: readonly OwnOwner[], bytes: number): number {
  let left = bytes
  for (const owner of owners) {
    const taken = Math.min(left, shares.get(owner) ?? 0)
    shares.set(owner, (shares.get(owner) ?? 0) - taken)
    left -= taken
  }
  return left
}

/** Takes from what is mapped, from each as much as it is large. */
function takeEvenly(shares: Map<OwnOwner, number>, bytes: number): void {
  const total = mappedOwners.reduce((sum, owner) => sum + (shares.get(owner) ?? 0), 0)
  if (total === 0) return
  const kept = 1 - Math.min(1, bytes / total)
  for (const owner of mappedOwners) shares.set(owner, (shares.get(owner) ?? 0) * kept)
}

export interface Division {
  totalBytes: number
  own: OwnShare[]
  nibbleBytes: number
  otherBytes: number
  /** Free and kept free. */
  reserveBytes: number
  freeBytes: number
  usedBytes: number
}

/** The whole memory: Nibble, other programs, and what is free. Read pages of model files are Nibble's, though the system counts them as available. */
export function divideMemory(memory: MemorySnapshot): Division {
  const own = ownShares(memory)
  const nibbleBytes = own.reduce((sum, { bytes }) => sum + bytes, 0)
  const { totalBytes, availableBytes, plan } = memory
  const inModel = own.reduce((sum, { owner, bytes }) => sum + (mappedOwners.some((one) => one === owner) ? bytes : 0), 0)
  const mapped = memory.mappedBytes ?? Math.min(plan?.mapped ?? 0, inModel)
  const notUsed = Math.min(Math.max(0, availableBytes - mapped), Math.max(0, totalBytes - nibbleBytes))
  const reserveBytes = Math.min(memory.reserveBytes, notUsed)
  const otherBytes = Math.max(0, totalBytes - nibbleBytes - notUsed)
  return { totalBytes, own, nibbleBytes, otherBytes, reserveBytes, freeBytes: notUsed - reserveBytes, usedBytes: nibbleBytes + otherBytes }
}

export function memorySegments({ own, otherBytes, freeBytes, reserveBytes }: Division): BarSegment[] {
  return [
    ...own.map(({ owner, bytes }) => ({ owner, bytes })),
    { owner: "other", bytes: otherBytes },
    { owner: "free", bytes: freeBytes },
    { owner: "reserve", bytes: reserveBytes },
  ]
}

export function gpuSegments({ nibbleBytes, totalBytes, freeBytes }: GpuSnapshot): BarSegment[] {
  return [
    { owner: "weights", bytes: nibbleBytes },
    { owner: "other", bytes: Math.max(0, totalBytes - nibbleBytes - freeBytes) },
    { owner: "free", bytes: freeBytes },
  ]
}
