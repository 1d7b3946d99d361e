import { expect, test } from "vitest"
import { applied, asItIs, chosenRow, nextStep, plannable, requestOf, settledFormat } from "../../../../renderer/features/memory/state.ts"
import type { LoadState } from "../../../../shared/contract/app.ts"
import type { Addition } from "../../../../shared/schema/addition.ts"
import type { InstalledModel, LoadedModel } from "../../../../shared/schema/model.ts"
import { reportOf, rowOf } from "./records.ts"

function installed(id: string, difference: Partial<InstalledModel> = {}): InstalledModel {
  return {
    ...{ id, name: id, path: `/models/${id}`, architecture: "A", format: "nf4", parameters: 1, disk_bytes: 1, context_length: 8192 },
    ...{ license: null, source: "local", note: null, isOwned: true, supported: true, reason: null, canBeQuantized: false, addedAt: 0 },
    ...difference,
  }
}
const addition = (id: string, path: string, modelId: string | null = null) => ({ id, path, name: id, modelId }) as Addition
const ready = (difference: Partial<LoadedModel>) => ({ state: "ready", model: difference }) as LoadState
const none: LoadState = { state: "none" }

test("what is thought of begins as it is: the loaded model as it is stored, with its context", () => {
  const models = [installed("old", { addedAt: 1 }), installed("new", { addedAt: 2 }), installed("cannot", { addedAt: 3, supported: false })]
  const load = ready({ id: "old", path: "/models/old", format: "nf4", context: 2048 })
  expect(asItIs({ models, load, additions: [] })).toMatchObject({
    path: "/models/old",
    format: "stored",
    context: 2048,
    computer: null,
    mode: "chat",
  })
  expect(asItIs({ models, load: none, additions: [] })).toMatchObject({ path: "/models/new", format: null, context: 0 })
  const additions = [addition("a", ""), addition("b", "/headers/b")]
  expect(asItIs({ models: [], load: none, additions })).toMatchObject({ path: "/headers/b" })
  expect(asItIs({ models: [], load: none, additions: [] }).path).toBeNull()
})

test("models to plan for: those that can run, then those on the way, each once", () => {
  const models = [installed("a", { addedAt: 1 }), installed("b", { addedAt: 2 }), installed("c", { supported: false })]
  const additions = [
    addition("x", "/headers/x"),
    addition("done", "/headers/y", "a"),
    addition("unread", ""),
    addition("local", "/models/b"),
  ]
  expect(plannable({ models, additions }).map(({ name, additionId }) => [name, additionId])).toEqual([
    ["b", null],
    ["a", null],
    ["x", "x"],
  ])
})

test("a request names only what was chosen", () => {
  const whatIf = { ...asItIs({ models: [installed("a")], load: none, additions: [] }), path: "/models/a" }
  expect(requestOf(whatIf)).not.toHaveProperty("computer")
  expect(requestOf({ ...whatIf, computer: "rtx", embeddings: "int8", context: 512 })).toMatchObject({
    path: "/models/a",
    computer: "rtx",
    embeddings: "int8",
    context: 512,
    deviceMap: "auto",
  })
})

test("the format settles on the files', the recommended, or the chosen one if it is there", () => {
  const report = reportOf({ rows: [rowOf({ format: "bf16" }), rowOf({ format: "nf4" }), rowOf({ format: "nf4-dq" })] })
  expect(settledFormat(report, "stored")).toBe("bf16")
  expect(settledFormat(report, null)).toBe("nf4-dq")
  expect(settledFormat(report, "nf4")).toBe("nf4")
  expect(settledFormat(report, "int8")).toBe("nf4-dq")
  expect(chosenRow(report, "nf4")?.format).toBe("nf4")
  expect(chosenRow(reportOf({ rows: [] }), "nf4")).toBeNull()
})

test("a change that makes it fit replaces its fields only", () => {
  const whatIf = { ...asItIs({ models: [installed("a")], load: none, additions: [] }), context: 8192, format: "bf16" as const }
  expect(applied(whatIf, { context: 4096 })).toEqual({ ...whatIf, context: 4096 })
  expect(applied(whatIf, { format: "nf4", embeddings: "int8" })).toEqual({ ...whatIf, format: "nf4", embeddings: "int8" })
})

test("what can be done with a plan: load, quantize, go on adding, or nothing", () => {
  const models = [installed("a", { format: "q4_1" })]
  const [model] = plannable({ models, additions: [] })
  const whatIf = asItIs({ models, load: none, additions: [] })
  const row = rowOf({ format: "fp16", context: 4096 })
  const wished = { model, row, stored: "fp16" as const, whatIf, load: none }
  expect(nextStep(wished)).toEqual({ kind: "load", modelId: "a", context: 4096 })
  expect(nextStep({ ...wished, load: ready({ id: "a", context: 4096 }) })).toEqual({ kind: "loaded" })
  expect(nextStep({ ...wished, load: ready({ id: "a", context: 2048 }) })).toMatchObject({ kind: "load" })
  expect(nextStep({ ...wished, row: rowOf({ format: "nf4" }) })).toEqual({ kind: "quantize", modelId: "a", format: "nf4" })
  const [coming] = plannable({ models: [], additions: [addition("x", "/headers/x")] })
  expect(nextStep({ ...wished, model: coming })).toEqual({ kind: "goOn", additionId: "x" })
  for (const nothing of [
    { row: rowOf({ fits: false }) },
    { model: undefined },
    { whatIf: { ...whatIf, computer: "rtx" } },
    { whatIf: { ...whatIf, mode: "train" as const } },
    { whatIf: { ...whatIf, deviceMap: {} } },
  ])
    expect(nextStep({ ...wished, ...nothing })).toBeNull()
})
