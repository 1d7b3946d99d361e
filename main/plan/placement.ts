// Reading device maps.
import type { PlanRow } from "../../shared/schema/plan.ts"

/** Modules whose names end in a number are the layers. */
export function layersOn({ device_map: map }: Pick<PlanRow, "device_map">, device: string): number {
  return Object.entries(map).filter(([module, place]) => place === device && /\.\d+$/.test(module)).length
}
