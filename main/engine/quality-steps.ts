// Runs an evaluation step by step: waits for the files of each step where they are still coming, and tells which are needed no more.
import { basename } from "node:path"
import type { z } from "zod"
import type { QualityProgress } from "../../shared/contract/engine.ts"
import type { CallContext } from "../../shared/rpc.ts"
import type { EngineAddon, NativeEvaluateOptions, NativeModelFigures, NativeModelSource } from "./addon-types.ts"
import type { Arrivals, AwaitedFile } from "./arrivals.ts"
import { runTask } from "./run-task.ts"

type Progress = z.output<typeof QualityProgress>

export interface Evaluated {
  positions: number
  /** In the order of the models. */
  figures: NativeModelFigures[]
}

export interface EvaluationWork extends CallContext<Progress> {
  addon: EngineAddon
  options: NativeEvaluateOptions
  /** Given: files may be missing yet. */
  arrivals?: Arrivals | undefined
}

export async function runEvaluation({ addon, options, arrivals, signal, emit }: EvaluationWork): Promise<Evaluated> {
  const evaluation = addon.openEvaluation(options)
  const steps = stepsOf(options, evaluation.steps)
  const total = steps.reduce((sum, { elements }) => sum + elements, 0)
  let [done, last] = [0, Number.NEGATIVE_INFINITY]
  const allFiles = new Set(steps.flatMap((step) => [...step.files.keys()]))
  try {
    for (const [index, step] of steps.entries()) {
      const later = new Set(steps.slice(index).flatMap(({ files }) => [...files.keys()]))
      const filesDone = [...allFiles].filter((path) => !later.has(path)).map((path) => basename(path))
      const report = (fraction: number) => {
        if (performance.now() - last < 50) return
        last = performance.now()
        const about = { fraction: (done + fraction * step.elements) / total, item: step.item }
        void emit(arrivals ? { ...about, filesDone } : about)
      }
      last = Number.NEGATIVE_INFINITY
      report(0)
      if (arrivals) await allArrived(arrivals, step.files, signal)
      await runTask(evaluation.runStep(report), signal)
      done += step.elements
    }
    const filesDone = [...allFiles].map((path) => basename(path))
    await emit({ fraction: 1, item: "", ...(arrivals ? { filesDone } : {}) })
    return { positions: evaluation.positions, figures: evaluation.figures() }
  } finally {
    evaluation.dispose()
  }
}

/** Waits for what the first `count` steps read. */
export async function stepsArrived(arrivals: Arrivals, options: NativeEvaluateOptions, count: number, signal: AbortSignal): Promise<void> {
  const layers = Math.max(...options.models.map(({ source }) => source.decoder.nLayers))
  for (const { files } of stepsOf(options, layers + 2).slice(0, count)) await allArrived(arrivals, files, signal)
}

async function allArrived(arrivals: Arrivals, files: Map<string, number>, signal: AbortSignal): Promise<void> {
  for (const [path, bytes] of files) await arrivals.next<AwaitedFile>([{ path, bytes }], signal)
}

interface Step {
  item: string
  /** Weights that it reads, of all models: about its share of the work. */
  elements: number
  /** Path, and the bytes that it must have. */
  files: Map<string, number>
}

function stepsOf({ models }: NativeEvaluateOptions, count: number): Step[] {
  const nameOf = (index: number) => (index === 0 ? "embedding" : index === count - 1 ? "output" : `layer ${index} of ${count - 2}`)
  const steps = Array.from({ length: count }, (_, i): Step => ({ item: nameOf(i), elements: 1, files: new Map() }))
  for (const { source } of models) {
    for (const tensor of source.tensors) {
      for (const index of stepsOfRole(tensor.role, source, count)) addTensor(steps[index] as Step, tensor, source, index)
    }
  }
  return steps
}

function stepsOfRole(role: string, { decoder }: NativeModelSource, count: number): number[] {
  const layer = /^layers\.(\d+)\./.exec(role)
  if (layer) return [Number(layer[1]) + 1]
  if (/^(final_norm|embed_out|head)(\.|$)/.test(role)) return [count - 1]
  return role === "embed" && decoder.hasTiedHead ? [0, count - 1] : [0]
}

function addTensor(
  step: Step,
  { role, shape, data, quantized }: NativeModelSource["tensors"][number],
  { files }: NativeModelSource,
  index: number,
) {
  // A table that is looked up in costs nothing.
  if (index > 0 || role !== "embed") step.elements += shape.reduce((product, size) => product * size, 1)
  for (const slice of [data, quantized?.absmax, quantized?.codebook, quantized?.nested?.absmax, quantized?.nested?.map]) {
    const path = slice && files[slice.file]
    if (path) step.files.set(path, Math.max(step.files.get(path) ?? 0, slice.offset + slice.bytes))
  }
}
