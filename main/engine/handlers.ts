// What the engine host answers. The model slot and the addon live here; each group of work has its own file.
import type { EngineContract } from "../../shared/contract/engine.ts"
import type { CallContext, Handlers } from "../../shared/rpc.ts"
import { loadAddon } from "./addon.ts"
import type { EngineAddon } from "./addon-types.ts"
import { createArrivals } from "./arrivals.ts"
import { createModelSlot } from "./model-slot.ts"
import type { PlanCache } from "./plan-cache.ts"
import { runTask } from "./run-task.ts"

type AnyHandler = (input: never, context: CallContext<never>) => unknown

export interface HandlersOptions {
  addon?: () => EngineAddon
  /** Called when the last call ended a while ago. */
  onIdle?(): void
}

/** Longer than between two calls of a slider that is moved, shorter than between two looks of the dashboard. */
const idle_ms = 500

export function createHandlers({ addon = loadAddon, onIdle = () => {} }: HandlersOptions = {}): {
  handlers: Handlers<EngineContract>
  settled(): Promise<void>
} {
  const slot = createModelSlot()
  let plans: PlanCache | undefined
  const arrivals = createArrivals()
  const handlers: Handlers<EngineContract> = {
    "engine.info": () => addon().info(),
    "engine.selfTest": ({ backend }) => addon().selfTest(backend),
    "engine.bandwidth": ({ bytes, threads }, { signal }) => runTask(addon().measureBandwidth(bytes, threads), signal),

    "model.plan": async (options) => (await import("./load.ts")).planModel(addon(), options),
    "model.load": async (options, context) => (await import("./load.ts")).loadModel(addon(), slot, options, context),
    "model.unload": async () => (await import("./load.ts")).unloadModel(addon(), slot),
    "model.generate": async (options, context) => (await import("./generate.ts")).generate(slot.get(), options, context),
    "model.count": async ({ prompt }) => (await import("./prompt.ts")).countTokens(slot.get(), prompt),
    "model.tokenize": async (input) => (await import("./prompt.ts")).tokenize(slot.get(), input),
    "model.logits": async (input, context) => (await import("./logits.ts")).writeLogits(slot.get(), input, context.signal),
    "model.outliers": async (wish, { signal }) => (await import("./outliers.ts")).measureOutliers(slot.get(), wish, signal),
    "model.bench": (options, { signal }) => runTask(slot.get().native.bench(options), signal),

    "plan.rows": async (request) => {
      const { planRows } = await import("./plan-rows.ts")
      plans ??= (await import("./plan-cache.ts")).createPlanCache(addon)
      const { memoryBase } = await import("./memory.ts")
      return planRows(addon(), plans, request, memoryBase(addon(), slot.peek()))
    },
    "engine.speed": async (options, context) => (await import("./speed.ts")).measureSpeed(addon(), slot, options, context),
    "model.memory": async () => (await import("./memory.ts")).modelMemory(addon(), slot.get()),
    "quality.run": async (options, context) => (await import("./quality.ts")).measureQuality(addon(), arrivals, options, context),
    "files.arrived": () => arrivals.announce(),
    "quantize.run": async (options, context) =>
      options.isArriving
        ? (await import("./quantize-arriving.ts")).quantizeArriving(addon(), arrivals, options, context)
        : (await import("./quantize.ts")).quantizeModel(addon(), options, context),
  }

  const running = new Set<Promise<unknown>>()
  let idle: ReturnType<typeof setTimeout> | undefined
  function tracked(handler: AnyHandler): AnyHandler {
    return (input, context) => {
      clearTimeout(idle)
      const answer = (async () => handler(input, context))()
      const ended = answer
        .catch(() => {})
        .finally(() => {
          running.delete(ended)
          if (running.size === 0) idle = setTimeout(onIdle, idle_ms).unref()
        })
      running.add(ended)
      return answer
    }
  }
  const entries = Object.entries(handlers as unknown as Record<string, AnyHandler>)
  return {
    handlers: Object.fromEntries(entries.map(([name, handler]) => [name, tracked(handler)])) as unknown as Handlers<EngineContract>,
    async settled() {
      await Promise.all(running)
    },
  }
}
