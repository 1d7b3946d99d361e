// The one model that is loaded: loads, replaces and unloads it, tells how far it is, and notices when the engine took it along.
import type { LoadState } from "../../shared/contract/app.ts"
import { AppError, type ErrorData, toErrorData } from "../../shared/schema/error.ts"
import type { LoadedModel } from "../../shared/schema/model.ts"
import type { Engine } from "../engine/client.ts"
import type { Events } from "./events.ts"
import type { Registry } from "./registry.ts"
import type { SettingsService } from "./settings.ts"

export interface LoadWish {
  modelId: string
  /** Absent: as set. */
  context?: number | undefined
  signal?: AbortSignal
  onProgress?(fraction: number): void
}

export interface Loader {
  state(): LoadState
  /** A load under way is given up for the new one. */
  load(wish: LoadWish): Promise<LoadedModel>
  /** Also ends a load under way. */
  unload(): Promise<{ freedBytes: number }>
  /** Throws where no model is ready, and says why. */
  ready(): LoadedModel
  /** Runs `work` alone with the model; `what` says what it is, for those that come meanwhile. */
  use<T>(what: string, work: (model: LoadedModel) => Promise<T>): Promise<T>
  close(): void
}

export function createLoader(options: {
  engine: Pick<Engine, "client" | "onState">
  registry: Registry
  settings: SettingsService
  events: Events
}): Loader {
  const { engine, registry, settings, events } = options
  let state: LoadState = { state: "none" }
  let loading: { abort: AbortController; settled: Promise<unknown> } | null = null
  let use: string | null = null

  function setState(next: LoadState): void {
    state = next
    events.emit({ type: "load", load: next })
  }

  const stopWatching = engine.onState(({ state: engineState, reason }) => {
    if (engineState !== "lost" || state.state !== "ready") return
    const { id, name } = state.model
    const message = reason ?? "The engine ended."
    setState({ state: "failed", modelId: id ?? "", name, code: "engine_lost", message, hint: "Load the model again." })
  })

  function refuseWhileUsed(): void {
    if (use !== null) throw new AppError("busy", `The model is at work: ${use}.`, "Stop that first, or wait for its end.")
  }

  async function endLoading(): Promise<void> {
    while (loading) {
      loading.abort.abort()
      await loading.settled
    }
  }

  async function load({ modelId, context, signal, onProgress }: LoadWish): Promise<LoadedModel> {
    const { name, path, supported, reason, context_length } = registry.get(modelId)
    if (!supported) throw new AppError("unsupported", reason ?? `${name} cannot be loaded.`)
    refuseWhileUsed()
    await endLoading()
    refuseWhileUsed()
    if (signal?.aborted) throw new AppError("cancelled", "cancelled")
    const abort = new AbortController()
    const { threads, context: usualContext, int8Threshold, int8Exact } = settings.get()
    // The setting is for all models: one that can do less is loaded with what it can do.
    const wanted = context ?? Math.min(usualContext, context_length)
    setState({ state: "loading", modelId, name, fraction: 0 })
    const work = engine.client["model.load"](
      { path, id: modelId, context: wanted, threads, exact: int8Exact, ...(int8Threshold === null ? {} : { threshold: int8Threshold }) },
      ({ fraction }) => {
        if (state.state === "loading") setState({ state: "loading", modelId, name, fraction })
        onProgress?.(fraction)
      },
      AbortSignal.any(signal ? [abort.signal, signal] : [abort.signal]),
    )
    const mine = { abort, settled: work.catch(() => {}) }
    loading = mine
    try {
      // The engine knows the file; the list knows what the user calls it.
      const model = { ...(await work), id: modelId, name }
      loading = null
      setState({ state: "ready", model })
      if (settings.get().lastModelId !== modelId) settings.update({ lastModelId: modelId })
      return model
    } catch (thrown) {
      loading = null
      const error = toErrorData(thrown)
      if (state.state !== "ready") setState(error.code === "cancelled" ? { state: "none" } : failedState(modelId, name, error))
      throw thrown
    }
  }

  async function unload(): Promise<{ freedBytes: number }> {
    refuseWhileUsed()
    await endLoading()
    if (state.state !== "ready") {
      if (state.state === "failed") setState({ state: "none" })
      return { freedBytes: 0 }
    }
    const freed = await engine.client["model.unload"](undefined)
    setState({ state: "none" })
    return freed
  }

  function ready(): LoadedModel {
    if (state.state === "ready") return state.model
    if (state.state === "loading") throw new AppError("busy", `${state.name} is still being loaded.`, "Send again when it is ready.")
    if (state.state === "none") throw new AppError("not_found", "No model is loaded.", "Load a model first.")
    const { code, message, hint } = state
    throw new AppError(code === "engine_lost" ? "engine_lost" : "not_found", `No model is loaded: ${message}`, hint)
  }

  return {
    state: () => state,
    load,
    unload,
    ready,
    async use(what, work) {
      const model = ready()
      refuseWhileUsed()
      use = what
      try {
        return await work(model)
      } finally {
        use = null
      }
    },
    close: stopWatching,
  }
}

function failedState(modelId: string, name: string, { code, message, hint }: ErrorData): LoadState {
  return { state: "failed", modelId, name, code, message, ...(hint ? { hint } : {}) }
}
