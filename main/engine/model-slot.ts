// The one model that the engine host holds.
import { AppError } from "../../shared/schema/error.ts"
import type { LoadedModel } from "../../shared/schema/model.ts"
import type { OpenedModel } from "../models/opened-model.ts"
import type { NativeModel } from "./addon-types.ts"
import type { ModelText } from "./text.ts"

/** The process as it was before a load. */
export interface MemoryBase {
  residentBytes: number
  /** Of JavaScript: its heap, and what it holds outside. */
  scriptBytes: number
}

export interface HeldModel {
  native: NativeModel
  opened: Omit<OpenedModel, "tokenizer">
  shown: LoadedModel
  text: ModelText
  /** Of the process, before this model was loaded. */
  base: MemoryBase
  /** That the cache held at once so far. */
  mostTokens: number
}

export interface ModelSlot {
  /** Throws not_found when no model is loaded, busy while one is being loaded. */
  get(): HeldModel
  /** Disposes of the model that is there, then takes what `load` makes. Throws busy where that is not possible now. */
  fill(name: string, load: () => Promise<HeldModel>): Promise<HeldModel>
  /** False when there was none. */
  empty(): boolean
  /** Null while none is loaded or one is being loaded. */
  peek(): HeldModel | null
}

export function createModelSlot(): ModelSlot {
  let held: HeldModel | null = null
  let loading: string | null = null

  function refuseWhileLoading(): void {
    if (loading !== null) throw new AppError("busy", `The engine is loading ${loading}.`, "Wait until it is loaded, or cancel that.")
  }

  function empty(): boolean {
    if (!held) return false
    try {
      held.native.dispose()
    } catch (error) {
      if ((error as { code?: string }).code !== "busy") throw error
      throw new AppError("busy", `${held.shown.name} is working on another request.`, "Wait until it has ended, or stop it.")
    }
    held = null
    return true
  }

  return {
    get() {
      refuseWhileLoading()
      if (!held) throw new AppError("not_found", "No model is loaded.", "Load a model first.")
      return held
    },
    async fill(name, load) {
      refuseWhileLoading()
      empty()
      loading = name
      try {
        held = await load()
        return held
      } finally {
        loading = null
      }
    },
    empty() {
      refuseWhileLoading()
      return empty()
    },
    peek: () => (loading === null ? held : null),
  }
}
