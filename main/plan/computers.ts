// Computers that one can plan for without having them: what their makers publish of memory and bandwidth, and what is left of it for a
// model. Bandwidths in 10^9 bytes per second, from the data sheets of NVIDIA and Apple; memory of laptops by its standard (DDR4-3200 and
// DDR5-5600, two channels).
import type { PlanComputer, PlanDevice } from "../../shared/schema/plan.ts"
import { reserveOf } from "../system/reserve.ts"

const gib = 2 ** 30

export interface KnownComputer extends PlanComputer {
  /** Its tensor cores multiply FP8: compute capability 8.9 and later. */
  hasFp8: boolean
}

/** What the system and a browser take. */
const system_bytes = 2.5 * gib
/** What CUDA takes for itself on a card; on one that also draws the screen, so much for that besides. */
const cuda_bytes = 0.4 * gib
const cardReserve_bytes = 0.3 * gib
const screen_bytes = 0.2 * gib

function memory(size: number, bandwidth: number, label = `${size} GB of memory`): PlanDevice {
  const totalBytes = size * gib
  const usableBytes = Math.round(totalBytes - Math.min(system_bytes, totalBytes / 3) - reserveOf(totalBytes))
  return { name: "cpu", kind: "cpu", label, totalBytes, usableBytes, bandwidth: bandwidth * 1e9 }
}

/** An NVMe disk of the third or fourth generation, as laptops and desktops have it. */
function disk(size: number, free: number): PlanDevice {
  return { name: "disk", kind: "disk", label: "Disk", totalBytes: size * 1e9, usableBytes: free * 1e9, bandwidth: 3e9 }
}

interface Card {
  id: string
  name: string
  size: number
  bandwidth: number
  hasFp8: boolean
  /** Of memory beside it, and its bandwidth. */
  ram: [number, number]
  drawsScreen?: boolean
}

function withCard({ id, name, size, bandwidth, hasFp8, ram, drawsScreen = true }: Card): KnownComputer {
  const totalBytes = size * gib
  const usableBytes = Math.round(totalBytes - cuda_bytes - cardReserve_bytes - (drawsScreen ? screen_bytes : 0))
  const card: PlanDevice = { name: "0", kind: "gpu", label: name, totalBytes, usableBytes, bandwidth: bandwidth * 1e9 }
  const label = `${name} ${size} GB, ${ram[0]} GB of memory`
  return { id, label, hasFp8, devices: [card, memory(...ram), disk(2000, 500)] }
}

function without(id: string, label: string, size: number, bandwidth: number): KnownComputer {
  return { id, label, hasFp8: false, devices: [memory(size, bandwidth), disk(512, 100)] }
}

/** The smallest first: by what is usable of the device that fills first. */
export const planComputers: readonly KnownComputer[] = [
  without("laptop-8", "Laptop, 8 GB", 8, 51.2),
  withCard({ id: "rtx-4060-8", name: "RTX 4060", size: 8, bandwidth: 272, hasFp8: true, ram: [16, 89.6] }),
  without("macbook-air-16", "MacBook Air M3, 16 GB", 16, 100),
  without("laptop-16", "Laptop, 16 GB", 16, 51.2),
  withCard({ id: "rtx-3060-12", name: "RTX 3060", size: 12, bandwidth: 360, hasFp8: false, ram: [32, 51.2] }),
  withCard({ id: "rtx-4070-12", name: "RTX 4070", size: 12, bandwidth: 504, hasFp8: true, ram: [32, 89.6] }),
  withCard({ id: "rtx-4060-ti-16", name: "RTX 4060 Ti", size: 16, bandwidth: 288, hasFp8: true, ram: [32, 89.6] }),
  withCard({ id: "rtx-3090-24", name: "RTX 3090", size: 24, bandwidth: 936, hasFp8: false, ram: [64, 51.2] }),
  withCard({ id: "rtx-4090-24", name: "RTX 4090", size: 24, bandwidth: 1008, hasFp8: true, ram: [64, 89.6] }),
  without("laptop-32", "Laptop, 32 GB", 32, 89.6),
  withCard({ id: "rtx-5090-32", name: "RTX 5090", size: 32, bandwidth: 1792, hasFp8: true, ram: [64, 89.6] }),
  without("macbook-pro-64", "MacBook Pro M4 Max, 64 GB", 64, 546),
  withCard({ id: "a100-80", name: "A100", size: 80, bandwidth: 2039, hasFp8: false, ram: [256, 204.8], drawsScreen: false }),
  withCard({ id: "h100-80", name: "H100", size: 80, bandwidth: 3350, hasFp8: true, ram: [256, 307.2], drawsScreen: false }),
].sort((a, b) => firstUsable(a) - firstUsable(b))

function firstUsable({ devices }: PlanComputer): number {
  return devices[0]?.usableBytes ?? 0
}

export function findComputer(id: string): KnownComputer | null {
  return planComputers.find((computer) => computer.id === id) ?? null
}
