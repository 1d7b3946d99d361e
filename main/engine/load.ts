// From LoadOptions to a plan or a loaded model.
import type { CallContext } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import { type ComputeType, Format } from "../../shared/schema/format.ts"
import type { LoadedModel, LoadOptions, MemoryPlan } from "../../shared/schema/model.ts"
import { configuredThreshold } from "../models/dtype.ts"
import { requireWholeFiles } from "../models/header-folder.ts"
import { openModel } from "../models/open.ts"
import type { OpenedModel } from "../models/opened-model.ts"
import type { EngineAddon, NativeCompute, NativeLoadOptions, NativeQuantizeSpec } from "./addon-types.ts"
import { beginMeasuring } from "./memory.ts"
import type { HeldModel, ModelSlot } from "./model-slot.ts"
import { runTask } from "./run-task.ts"
import { releaseGarbage } from "./script-memory.ts"
import { openText } from "./text.ts"

/** Longer contexts cost memory that most chats never use; who wants one asks for it. */
const defaultContext = 8192

export async function planModel(addon: EngineAddon, options: LoadOptions): Promise<MemoryPlan> {
  return addon.plan(toNative(addon, await openModel(options.path), options))
}

export async function loadModel(
  addon: EngineAddon,
  slot: ModelSlot,
  options: LoadOptions,
  { signal, emit }: CallContext<{ fraction: number }>,
): Promise<LoadedModel> {
  const started = performance.now()
  const held = await slot.fill(options.path, async (): Promise<HeldModel> => {
    // Of the model before.
    releaseGarbage(addon)
    const base = beginMeasuring(addon)
    const opened = await openModel(options.path)
    await requireWholeFiles(opened.files)
    signal.throwIfAborted()
    const native = toNative(addon, opened, options)
    const report = throttled((fraction) => void emit({ fraction }))
    const loading = runTask(addon.loadModel(native, report), signal)
    // While the engine reads the weights on its own threads, this one makes the tokenizer.
    const [model, text] = await Promise.allSettled([loading, openText(opened)])
    if (model.status === "rejected") throw model.reason
    if (text.status === "rejected" || signal.aborted) {
      model.value.dispose()
      throw text.status === "rejected" ? text.reason : new AppError("cancelled", "cancelled")
    }
    const shown = summarize(addon, opened, options, native, performance.now() - started)
    // What the tokenizer was made from is not needed any more, and large.
    const { tokenizer: _, ...rest } = opened
    return { native: model.value, opened: rest, text: text.value, base, mostTokens: 0, shown: { ...shown, plan: { ...model.value.plan } } }
  })
  // Not now: somebody waits. A little later the engine's own threads are busy with their words, and this one is not.
  setTimeout(() => releaseGarbage(addon), tidied_ms).unref()
  return held.shown
}

const tidied_ms = 100

/** What became free: how much less the process holds resident. The cache of the system may keep pages of mapped files none the less. */
export function unloadModel(addon: EngineAddon, slot: ModelSlot): { freedBytes: number } {
  const before = addon.info().residentBytes
  if (!slot.empty()) return { freedBytes: 0 }
  releaseGarbage(addon)
  return { freedBytes: Math.max(0, before - addon.info().residentBytes) }
}

function summarize(addon: EngineAddon, opened: OpenedModel, options: LoadOptions, native: NativeLoadOptions, loadMs: number) {
  const info = addon.info()
  return {
    id: options.id,
    name: opened.name,
    path: opened.path,
    architecture: opened.architecture,
    format: options.quantize ?? opened.inspection.format,
    compute: computeNames[native.compute],
    context: native.context,
    contextLimit: opened.decoder.maxContext,
    hasChatTemplate: Boolean(opened.tokenizer?.chatTemplate),
    threads: native.threads || info.logicalCores,
    isa: options.backend === "auto" ? info.isa : options.backend,
    loadMs,
  }
}

function toNative(addon: EngineAddon, opened: OpenedModel, options: LoadOptions): NativeLoadOptions {
  const quantize = quantizeSpec(opened, options)
  return {
    source: opened.source,
    ...(quantize ? { quantize } : {}),
    context: chooseContext({ name: opened.name, contextLimit: opened.decoder.maxContext }, options.context),
    compute: chooseCompute(addon, options),
    threshold: options.threshold ?? configuredThreshold(opened.config),
    isExact: options.exact,
    threads: options.threads,
    backend: options.backend,
    memoryLimitBytes: 0,
  }
}

export function chooseContext({ name, contextLimit: limit }: { name: string; contextLimit: number }, wanted: number): number {
  if (wanted <= limit) return wanted || Math.min(limit, defaultContext)
  throw new AppError(
    "bad_input",
    `A context of ${wanted} tokens was asked for; ${name} was made for at most ${limit}.`,
    `Choose ${limit} or less.`,
  )
}

const computeNames: Record<NativeCompute, ComputeType> = { f32: "fp32", f16: "fp16", bf16: "bf16" }

/** bf16 pays where the processor multiplies it; elsewhere it would only lose digits. */
export function chooseCompute(addon: EngineAddon, options: Pick<LoadOptions, "compute" | "backend">): NativeCompute {
  const wanted = (["f32", "f16", "bf16"] as const).find((native) => computeNames[native] === options.compute)
  if (wanted) return wanted
  const { isa, features } = addon.info()
  const isFast = features.includes("avx512bf16") && isa === "avx512" && (options.backend === "auto" || options.backend === isa)
  return isFast ? "bf16" : "f32"
}

function quantizeSpec(opened: OpenedModel, { quantize, blockSize }: LoadOptions): NativeQuantizeSpec | undefined {
  const stored = opened.inspection.format
  if (quantize === undefined || quantize === stored) return undefined
  const [format = "", nested] = quantize.split("-")
  if (format !== "int8" && format !== "nf4" && format !== "fp4") {
    throw new AppError(
      "unsupported",
      `Weights are not converted to ${quantize} while loading; ${opened.name} is stored as ${stored}.`,
      `Load it as it is, or choose one of ${Format.options.filter((option) => !/^(fp|bf)(16|32)$/.test(option)).join(", ")}.`,
    )
  }
  if (opened.source.tensors.some((tensor) => tensor.quantized)) {
    throw new AppError(
      "bad_input",
      `${opened.name} is already quantized (${stored}); quantizing it to ${quantize} would add a second loss to the first.`,
      "Load it as it is, or choose the model that it was made from.",
    )
  }
  return { format, blockSize: blockSize ?? 64, isNested: nested === "dq" }
}

/** About 20 a second; the last one, 1, always. */
function throttled(report: (fraction: number) => void): (fraction: number) => void {
  let last = Number.NEGATIVE_INFINITY
  return (fraction) => {
    const now = performance.now()
    if (now - last < 50 && fraction < 1) return
    last = now
    report(fraction)
  }
}
