// Where the layers lie, as three runs: GPUs first, then memory, then disk. Between device maps in the terms of Accelerate and what the
// handles of the strip move.
import type { PlanDevice } from "../../../shared/schema/plan.ts"

export type DeviceMap = Record<string, string>
export type Place = "gpu" | "cpu" | "disk"

export interface Placement {
  /** Names of modules in the order of the model; layers only. */
  layers: { module: string; place: Place }[]
  /** Embeddings, norms, head. */
  ends: { module: string; place: Place }[]
  counts: Record<Place, number>
}

const layerNumber = (module: string): number | null => {
  const digits = module.match(/\.(\d+)$/)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** "cpu" and "disk" are those; every other name is a GPU's number. */
export function placeOf(device: string): Place {
  return device === "cpu" || device === "disk" ? device : "gpu"
}

export function placementOf(map: DeviceMap): Placement {
  const modules = Object.entries(map).map(([module, device]) => ({ module, place: placeOf(device), number: layerNumber(module) }))
  const layers = modules
    .filter(({ number }) => number !== null)
    .sort((a, b) => (a.number ?? 0) - (b.number ?? 0))
    .map(({ module, place }) => ({ module, place }))
  const ends = modules.filter(({ number }) => number === null).map(({ module, place }) => ({ module, place }))
  const counts = { gpu: 0, cpu: 0, disk: 0 }
  for (const { place } of layers) counts[place]++
  return { layers, ends, counts }
}

/** The map with the first layers on the GPUs, the next in memory, the others on disk. Layers are shared among GPUs by their size. */
export function placeLayers(map: DeviceMap, counts: { gpu: number; cpu: number }, devices: PlanDevice[]): DeviceMap {
  const gpus = devices.filter(({ kind }) => kind === "gpu")
  const total = gpus.reduce((sum, { totalBytes }) => sum + totalBytes, 0)
  const { layers } = placementOf(map)
  const next = { ...map }
  for (const [index, { module }] of layers.entries()) {
    if (index < counts.gpu && gpus.length > 0) next[module] = gpuOf((index / counts.gpu) * total, gpus)
    else next[module] = index < counts.gpu + counts.cpu ? "cpu" : "disk"
  }
  return next
}

/** The GPU that holds the byte at `offset` when all lie one behind the other. */
function gpuOf(offset: number, gpus: PlanDevice[]): string {
  let before = 0
  for (const { name, totalBytes } of gpus) {
    before += totalBytes
    if (offset < before) return name
  }
  return gpus.at(-1)?.name ?? "cpu"
}
