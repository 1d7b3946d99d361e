// The quantizer at work for an addition.
import { basename } from "node:path"
import type { Addition } from "../../shared/schema/addition.ts"
import type { QuantizedFormat } from "../../shared/schema/format.ts"
import { createMeter } from "../services/progress.ts"
import { noteFor } from "../services/quantize.ts"
import type { Environment } from "./environment.ts"
import type { AdditionFolders } from "./folders.ts"
import { planQuantizing, type QuantizingPlan, quantizeOptions } from "./plan.ts"

export interface QuantizeWish {
  /** The model as the engine reads it. */
  path: string
  out: string
  format: QuantizedFormat
  folders: AdditionFolders
  signal: AbortSignal
  /** Names of the source files that are not needed any more, and the bytes written, all so far. */
  onFilesDone?(names: string[], bytesWritten: number): void
}

/** As quantize.run takes it, but for what only says how fast. */
export function quantizeWish({ options }: Addition, { path, out, format }: Pick<QuantizeWish, "path" | "out" | "format">) {
  return { path, out, isArriving: true, withErrors: true, ...quantizeOptions(options, format) }
}

/** What will be made, also for the pages. */
export async function planTo({ store }: Environment, id: string, path: string, format: QuantizedFormat): Promise<QuantizingPlan> {
  const plan = await planQuantizing(path, store.get(id).options, format)
  store.expectTensors(id, plan.tensors)
  store.change(id, { kept: plan.kept })
  return plan
}

export async function quantize(environment: Environment, addition: Addition, wish: QuantizeWish): Promise<void> {
  const { engine, settings, store } = environment
  const { path, out, folders, signal, onFilesDone } = wish
  const { id } = addition
  await folders.keepOnlyMade(basename(out))
  const note = await noteOf(environment, path)
  const meter = createMeter()
  await engine.client["quantize.run"](
    { ...quantizeWish(addition, wish), threads: settings.get().threads, ...(note ? { note } : {}) },
    ({ parametersDone, parametersTotal, bytesWritten, tensor, errors, filesDone }) => {
      if (errors) store.setErrors(id, errors)
      const step = { phase: "quantize", done: parametersDone, total: parametersTotal, unit: "parameters", item: tensor } as const
      store.progress(id, { quantize: meter(step) })
      if (filesDone) onFilesDone?.(filesDone, bytesWritten)
    },
    signal,
  )
}

/** Of files that are all here: when no other model is being quantized. */
export async function quantizeInTurn(environment: Environment, addition: Addition, wish: QuantizeWish): Promise<void> {
  const { store, takeTurn } = environment
  const { id } = addition
  await takeTurn(
    wish.signal,
    () => store.change(id, { state: "waiting" }),
    async () => {
      store.change(id, { state: "running" })
      await quantize(environment, addition, wish)
    },
  )
}

/** Worth knowing of what was quantized before. */
export async function noteOf({ inspect }: Environment, path: string): Promise<string | null> {
  return noteFor((await inspect(path)).format)
}
