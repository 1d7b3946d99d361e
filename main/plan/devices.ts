// The devices that a model can be planned onto: those of this computer, or of one that is listed, with less of them where that is wished.
import { statfs } from "node:fs/promises"
import { AppError } from "../../shared/schema/error.ts"
import type { PlanDevice } from "../../shared/schema/plan.ts"
import type { EngineInfo } from "../../shared/schema/system.ts"
import { reserveOf } from "../system/reserve.ts"

export interface HereFacts {
  info: Pick<EngineInfo, "totalMemoryBytes" | "availableMemoryBytes" | "residentBytes">
  /** Of the model that is loaded: mapped from its files, which the system counts as available although the engine has it. */
  loadedMappedBytes: number
  /** Bytes per second; 0: not measured. */
  bandwidth: number
  /** Whose disk counts. */
  folder: string
}

/**
 * A plan counts the engine's own process too, and what it loads takes the place of what is loaded: so both what is available and what the
 * engine has now can be used, but for the reserve.
 */
export async function devicesHere({ info, loadedMappedBytes, bandwidth, folder }: HereFacts): Promise<PlanDevice[]> {
  const { totalMemoryBytes: total, availableMemoryBytes: available, residentBytes: resident } = info
  const usable = available + Math.max(0, resident - loadedMappedBytes) - reserveOf(total)
  const memory: PlanDevice = {
    ...{ name: "cpu", kind: "cpu", label: "Memory" },
    ...{ totalBytes: total, usableBytes: Math.max(0, Math.min(usable, total)), bandwidth },
  }
  const disk = await statfs(folder).catch(() => null)
  if (!disk) return [memory]
  const size = { totalBytes: disk.blocks * disk.bsize, usableBytes: disk.bavail * disk.bsize }
  return [memory, { name: "disk", kind: "disk", label: "Disk", ...size, bandwidth: 0 }]
}

/** Throws bad_input for a device that is not among them. */
export function limited(devices: readonly PlanDevice[], maxMemory: Record<string, number>): PlanDevice[] {
  const unknown = Object.keys(maxMemory).find((name) => !devices.some((device) => device.name === deviceName(name)))
  if (unknown !== undefined) {
    const names = devices.map(({ name, kind }) => (kind === "gpu" ? `gpu${name}` : name)).join(", ")
    throw new AppError("bad_input", `There is no device ${unknown} to limit; there are ${names}.`)
  }
  const limits = new Map(Object.entries(maxMemory).map(([name, bytes]) => [deviceName(name), bytes]))
  return devices.map((device) => ({ ...device, usableBytes: Math.min(device.usableBytes, limits.get(device.name) ?? device.usableBytes) }))
}

/** "gpu0" is what people write, "0" what Accelerate does. */
export function deviceName(name: string): string {
  return name.replace(/^gpu(?=\d+$)/, "")
}
