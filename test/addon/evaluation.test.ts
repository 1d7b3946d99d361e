// Evaluations that are misused, cancelled and disposed of at odd moments.
import { expect, test } from "vitest"
import type { NativeEvaluateOptions } from "../../main/engine/addon-types.ts"
import { engine, readModel } from "./fixtures.ts"

const quiet = () => {}
const coded = (code: string) => expect.objectContaining({ code })

function options(change: Partial<NativeEvaluateOptions> = {}): NativeEvaluateOptions {
  const source = readModel("llama")
  const windows = [{ tokens: Array.from({ length: 200 }, (_, i) => (i * 7) % 300) }, { tokens: [1, 2] }]
  return { models: [{ source, threshold: 6 }], windows, compute: "f32", threads: 2, backend: "auto", memoryLimitBytes: 0, ...change }
}

test("runs its steps, tells how far it is, and gives figures only at the end", async () => {
  const evaluation = engine.openEvaluation(options())
  expect(evaluation).toMatchObject({ steps: 4, positions: 200 })
  expect(evaluation.neededBytes).toBeGreaterThan(0)
  for (let i = 0; i < evaluation.steps; i++) {
    expect(() => evaluation.figures()).toThrow(coded("bad_input"))
    let last = 0
    await evaluation.runStep((fraction) => {
      last = fraction
    }).promise
    expect(last).toBe(1)
  }
  const [figures] = evaluation.figures()
  expect(figures).toMatchObject({ klMean: 0, klMax: 0, sameTopToken: 1 })
  expect(figures?.perplexity).toBeGreaterThan(1)
  await expect(evaluation.runStep(quiet).promise).rejects.toMatchObject({ code: "bad_input" })
  evaluation.dispose()
})

test("while a step runs it is busy; disposed of, it does nothing more", async () => {
  const evaluation = engine.openEvaluation(options({ backend: "ref" }))
  const step = evaluation.runStep(quiet)
  for (const use of [() => evaluation.runStep(quiet), () => evaluation.figures(), () => evaluation.dispose()])
    expect(use).toThrow(coded("busy"))
  await step.promise
  evaluation.dispose()
  evaluation.dispose()
  for (const use of [() => evaluation.runStep(quiet), () => evaluation.figures()]) expect(use).toThrow(coded("bad_input"))
})

test("a step that was cancelled is the last one", async () => {
  const evaluation = engine.openEvaluation(options({ backend: "ref" }))
  await evaluation.runStep(quiet).promise
  const step = evaluation.runStep(quiet)
  step.cancel()
  await expect(step.promise).rejects.toMatchObject({ code: "cancelled" })
  step.cancel()
  await expect(evaluation.runStep(quiet).promise).rejects.toMatchObject({ code: "bad_input" })
  evaluation.dispose()
})

test("refuses what is no evaluation, before any file is opened", () => {
  const [model] = options().models
  if (!model) throw new Error("one model")
  const broken = { ...model.source, files: model.source.files.map(() => "/nowhere") }
  expect(engine.openEvaluation(options({ models: [{ ...model, source: broken }] })).steps).toBe(4)
  for (const wrong of [
    { models: [] },
    { windows: [] },
    { windows: [{ tokens: [1] }] },
    { windows: [{ tokens: [1, 2 ** 31] }] },
    { windows: [{ tokens: [1, 5000] }] },
    { windows: [{ tokens: [1, 2.5] }] },
    { models: [{ ...model, threshold: Number.NaN }] },
    { models: [{ ...model, threshold: -1 }] },
    { backend: "none" },
    { threads: 2000 },
  ])
    expect(() => engine.openEvaluation(options(wrong)), JSON.stringify(wrong).slice(0, 60)).toThrow(coded("bad_input"))
  expect(() => engine.openEvaluation(options({ memoryLimitBytes: 1000 }))).toThrow(coded("out_of_memory"))
  expect(() => engine.openEvaluation(undefined as never)).toThrow(coded("bad_input"))
  const evaluation = engine.openEvaluation(options())
  expect(() => evaluation.runStep(3 as never)).toThrow(coded("bad_input"))
  const made = Reflect.get(evaluation, "constructor") as new () => unknown
  expect(() => new made()).toThrow(coded("bad_input"))
})

test("a file that is not there is an error of the step that needs it", async () => {
  const [model] = options().models
  if (!model) throw new Error("one model")
  const evaluation = engine.openEvaluation(
    options({ models: [{ ...model, source: { ...model.source, files: ["/nowhere/model.safetensors"] } }] }),
  )
  await expect(evaluation.runStep(quiet).promise).rejects.toMatchObject({ code: "not_found" })
  evaluation.dispose()
})
