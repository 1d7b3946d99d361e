import { describe, expect, test } from "vitest"
import {
  barScale,
  chosenRow,
  downloadBytes,
  formatOfRow,
  isModelName,
  isReachable,
  openAdditions,
  pathIn,
  shownStep,
  stepOf,
} from "../../../../renderer/features/adding/state.ts"
import type { Addition } from "../../../../shared/schema/addition.ts"
import { AdditionOptions } from "../../../../shared/schema/addition.ts"
import type { PlanReport } from "../../../../shared/schema/plan.ts"

const makeAddition = (change: Partial<Addition>): Addition => ({
  ...{ id: "a", source: { kind: "hub", name: "org/m", revision: "0", variant: null }, name: "m", step: "plan", state: "draft" },
  options: AdditionOptions.parse({}),
  ...{ path: "/headers", license: null, files: [], download: null, quantize: null, kept: [], check: { state: "waiting" } },
  ...{ modelId: null, error: null, helpUrl: null, createdAt: 0, updatedAt: 0, ...change },
})

const gpu = { kind: "gpu", usableBytes: 80 }
const report = {
  rows: [
    { format: "bf16", total_bytes: 100, train: { total_bytes: 120 } },
    { format: "nf4-dq", total_bytes: 40, train: null },
  ],
  devices: [gpu, { kind: "cpu", usableBytes: 500 }],
} as unknown as PlanReport

describe("what is typed into the box", () => {
  test.each(["/models/a", "~/a", "./a", "C:\\models\\a.gguf", "\\\\server\\a", '"/quoted path"', "file:///a%20b"])(
    "%s is a path",
    (text) => {
      expect(pathIn(text)).not.toBeNull()
    },
  )
  test("quotes and escapes go", () => {
    expect([pathIn('"/a b"'), pathIn("file:///a%20b")]).toEqual(["/a b", "/a b"])
  })
  test("names and addresses are no paths, words are neither", () => {
    for (const text of ["org/name", "org/name@main", "https://huggingface.co/org/name"])
      expect([pathIn(text), isModelName(text)]).toEqual([null, true])
    expect([pathIn("llama instruct"), isModelName("llama instruct"), isModelName("a/b/c")]).toEqual([null, false, false])
  })
})

describe("steps", () => {
  test("a draft is planned, whatever it did before", () => {
    expect(stepOf(makeAddition({ step: "download" }))).toBe("plan")
    expect(stepOf(makeAddition({ step: "download", state: "paused" }))).toBe("download")
  })
  test("those before can be looked at, and the quantizing beside the download", () => {
    const downloading = makeAddition({ step: "download", state: "running" })
    expect((["choose", "plan", "download", "quantize", "done"] as const).map((step) => isReachable(step, downloading))).toEqual([
      ...[true, true, true, false, false],
    ])
    const progress = { phase: "quantize", done: 1, total: 2, unit: "parameters", rate: 0, secondsLeft: null, item: "" } as const
    expect(isReachable("quantize", { ...downloading, quantize: progress })).toBe(true)
    expect(isReachable("download", makeAddition({ source: { kind: "local", path: "/m" }, step: "done", state: "done" }))).toBe(false)
    expect(isReachable("plan", null)).toBe(false)
  })
  test("an earlier step is shown while it can be", () => {
    const running = makeAddition({ step: "quantize", state: "running" })
    expect(shownStep(running, { additionId: "a", step: "plan" })).toBe("plan")
    expect(shownStep(running, { additionId: "b", step: "plan" })).toBe("quantize")
    expect(shownStep(running, { additionId: "a", step: "done" })).toBe("quantize")
  })
})

describe("the plan", () => {
  test("rows and options name each other", () => {
    expect(chosenRow(report, "stored")?.format).toBe("bf16")
    expect(chosenRow(report, "nf4-dq")?.format).toBe("nf4-dq")
    expect(report.rows.map((row) => formatOfRow(row, report))).toEqual(["stored", "nf4-dq"])
    // What is quantized already has one row, and stays as it is.
    const only = { ...report, rows: report.rows.slice(1) }
    expect([formatOfRow(only.rows[0]!, only), chosenRow(only, "stored")?.format]).toEqual(["stored", "nf4-dq"])
  })
  test("bars share the scale of the largest, or of what can be used", () => {
    expect(barScale(report)).toBe(120)
    expect(barScale({ ...report, rows: report.rows.slice(1) })).toBe(80)
  })
})

test("what is in a cache is not downloaded", () => {
  const file = { name: "a", done: 0, error: null, retryAt: null, attempts: 0 }
  const files: Addition["files"] = [
    { ...file, bytes: 5, state: "waiting" },
    { ...file, bytes: 7, state: "cached" },
  ]
  expect(downloadBytes({ files })).toBe(5)
})

test("open ones, the newest first", () => {
  const list = [
    makeAddition({ id: "a", createdAt: 1 }),
    makeAddition({ id: "b", state: "done", createdAt: 3 }),
    makeAddition({ id: "c", createdAt: 2 }),
  ]
  expect(openAdditions(list).map(({ id }) => id)).toEqual(["c", "a"])
})
