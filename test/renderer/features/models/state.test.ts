import { describe, expect, test } from "vitest"
import {
  expertShare,
  firstRun,
  isOnlyQuantizable,
  jobSteps,
  phaseFraction,
  shownJobs,
  sortModels,
  sourceOf,
} from "../../../../renderer/features/models/state.ts"
import type { Job, JobProgress } from "../../../../shared/schema/job.ts"
import type { InstalledModel } from "../../../../shared/schema/model.ts"

const progress: JobProgress = { phase: "download", done: 1, total: 4, unit: "bytes", rate: 0, secondsLeft: null, item: "" }

function makeJob(more: Partial<Job> = {}): Job {
  return {
    id: "j1",
    kind: "starter",
    subject: "S",
    state: "running",
    progress,
    modelId: null,
    error: null,
    startedAt: 0,
    endedAt: null,
    ...more,
  }
}

function makeModel(more: Partial<InstalledModel> = {}): InstalledModel {
  return {
    id: "m1",
    name: "M",
    path: "/m",
    architecture: "LlamaForCausalLM",
    format: "nf4-dq",
    parameters: 1,
    disk_bytes: 1,
    context_length: 8,
    license: null,
    source: "local",
    note: null,
    isOwned: true,
    supported: true,
    reason: null,
    canBeQuantized: false,
    addedAt: 0,
    ...more,
  }
}

const none = { state: "none" } as const
const start = { jobs: [] as Job[], models: [] as InstalledModel[], load: none }

describe("the first screen", () => {
  test("offers the starter while there is no model that can be run", () => {
    expect(firstRun(start, null)).toEqual({ show: "offer", ended: null })
    expect(firstRun({ ...start, models: [makeModel({ supported: false })] }, null)).toEqual({ show: "offer", ended: null })
    expect(firstRun({ ...start, models: [makeModel()] }, null)).toEqual({ show: "nothing" })
  })

  test("shows the work that it began, also where there are models by now", () => {
    const job = makeJob({ kind: "import" })
    const source = { ...start, jobs: [job], models: [makeModel()] }
    expect(firstRun(source, { jobId: "j1" })).toEqual({ show: "progress", job })
    expect(firstRun(source, null)).toEqual({ show: "nothing" })
  })

  test("finds a starter job again after a reload", () => {
    const job = makeJob()
    expect(firstRun({ ...start, jobs: [job] }, null)).toEqual({ show: "progress", job })
  })

  test("ends with the job that it began", () => {
    const source = { ...start, jobs: [makeJob({ kind: "import", state: "done" })], models: [makeModel()] }
    expect(firstRun(source, { jobId: "j1" })).toEqual({ show: "nothing" })
  })

  test("says how its job ended", () => {
    const job = makeJob({ state: "failed" })
    expect(firstRun({ ...start, jobs: [job] }, { jobId: "j1" })).toEqual({ show: "offer", ended: job })
  })

  test("gives way to the chat when a job failed but a model is loaded", () => {
    const source = { ...start, jobs: [makeJob({ state: "failed" })], models: [makeModel()] }
    const failed = { state: "failed", modelId: "m1", name: "M", code: "bad_file", message: "" } as const
    expect(firstRun({ ...source, load: failed }, { jobId: "j1" })).toEqual({ show: "nothing" })
  })
})

describe("the steps of a job", () => {
  const steps = (job: Job) => jobSteps(job).map(({ step, is }) => `${step} ${is}`)

  test.each([
    ["waiting", ["download now", "quantize waiting", "load waiting"]],
    ["verify", ["download now", "quantize waiting", "load waiting"]],
    ["quantize", ["download done", "quantize now", "load waiting"]],
    ["load", ["download done", "quantize done", "load now"]],
  ] as const)("while it is at %s", (phase, wanted) => {
    expect(steps(makeJob({ progress: { ...progress, phase } }))).toEqual(wanted)
  })

  test("are all done at the end", () => {
    expect(steps(makeJob({ kind: "quantize", state: "done" }))).toEqual(["quantize done", "load done"])
  })
})

test("the share of a phase is known where its total is", () => {
  expect(phaseFraction(progress)).toBe(0.25)
  expect(phaseFraction({ ...progress, total: 0 })).toBeNull()
  expect(phaseFraction({ ...progress, done: 0.4, total: 0, unit: "fraction" })).toBe(0.4)
  expect(phaseFraction({ ...progress, done: 9, total: 4 })).toBe(1)
})

test("models that can be run come first, then the newest", () => {
  const list = [
    makeModel({ id: "a", addedAt: 1 }),
    makeModel({ id: "b", addedAt: 9, supported: false }),
    makeModel({ id: "c", addedAt: 5 }),
  ]
  expect(sortModels(list).map(({ id }) => id)).toEqual(["c", "a", "b"])
})

test("what cannot run may still be quantized", () => {
  expect(isOnlyQuantizable(makeModel({ supported: false, canBeQuantized: true }))).toBe(true)
  expect(isOnlyQuantizable(makeModel({ supported: false }))).toBe(false)
  expect(isOnlyQuantizable(makeModel({ canBeQuantized: true }))).toBe(false)
})

test("the share of the experts", () => {
  expect(expertShare({ expert_parameters: 30, parameters: 40 })).toBe(0.75)
  expect(expertShare({ expert_parameters: 0, parameters: 0 })).toBe(0)
})

test("jobs that are over and well are not shown", () => {
  const jobs = (["running", "done", "failed", "cancelled"] as const).map((state) => makeJob({ id: state, state }))
  expect(shownJobs(jobs).map(({ id }) => id)).toEqual(["running", "failed"])
})

test("where a model came from, and which version of it", () => {
  expect(sourceOf("hub:org/name@abc123")).toEqual({ kind: "hub", name: "org/name", revision: "abc123" })
  expect(sourceOf("pypi:llm-x@0.1.2")).toEqual({ kind: "pypi", name: "llm-x", revision: "0.1.2" })
  expect(sourceOf("quantized:some-id")).toEqual({ kind: "quantized", name: "", revision: null })
  expect(sourceOf("local")).toEqual({ kind: "local", name: "", revision: null })
})
