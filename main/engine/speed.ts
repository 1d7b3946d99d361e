// How fast this computer multiplies weights of each format: ten seconds, while no model works.
import type { CallContext } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import { Format } from "../../shared/schema/format.ts"
import type { SpeedProfile } from "../../shared/schema/plan.ts"
import type { EngineAddon } from "./addon-types.ts"
import { chooseCompute } from "./load.ts"
import type { ModelSlot } from "./model-slot.ts"
import { runTask } from "./run-task.ts"

/** Throws busy while a model is loaded that works, or one is being loaded: both would be timed together. */
export async function measureSpeed(
  addon: EngineAddon,
  slot: ModelSlot,
  { threads }: { threads: number },
  { signal, emit }: CallContext<{ fraction: number }>,
): Promise<SpeedProfile> {
  refuseWhileModelWorks(slot)
  const compute = chooseCompute(addon, { compute: undefined, backend: "auto" })
  const task = addon.measureSpeed({ threads, compute }, (fraction) => void emit({ fraction }))
  const { bandwidth, layerSeconds, mappedFactor, decode, prefill } = await runTask(task, signal)
  const { isa, logicalCores } = addon.info()
  const known = (rates: Record<string, number>) => Object.fromEntries(Format.options.map((format) => [format, rates[format]]))
  return {
    ...{ isa, threads: threads || logicalCores, measuredAt: Date.now(), bandwidth, layerSeconds, mappedFactor },
    ...{ decode: known(decode), prefill: known(prefill) },
  }
}

function refuseWhileModelWorks(slot: ModelSlot): void {
  try {
    slot.get().native.used()
  } catch (thrown) {
    const { code } = thrown as { code?: string }
    if (code === "not_found") return
    if (code !== "busy") throw thrown
    throw new AppError("busy", "The speed is measured while no model works.", "Wait until the model has ended, or stop it.")
  }
}
