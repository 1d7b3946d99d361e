import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it, onTestFinished } from "vitest"
import { createEvents } from "../../../main/services/events.ts"
import { createJobs, type JobContext } from "../../../main/services/jobs.ts"
import { openDatabase } from "../../../main/storage/database.ts"
import type { AppEvent } from "../../../shared/contract/app.ts"
import { AppError } from "../../../shared/schema/error.ts"
import { scratchFolder } from "../scratch.ts"

function made(path = join(scratchFolder(), "nibble.db"), isLocked = true) {
  const database = openDatabase(path)
  onTestFinished(() => database.close())
  const events = createEvents()
  const seen: AppEvent[] = []
  events.subscribe((event) => seen.push(event))
  const jobs = createJobs({ database, events, isLocked })
  const call = <K extends "jobs.cancel" | "jobs.dismiss">(name: K, jobId: string) =>
    Promise.resolve().then(() => jobs.handlers[name]({ jobId }, { signal: new AbortController().signal, emit: async () => {} }))
  return { path, database, jobs, seen, call }
}

/** Work that goes on until it is cancelled. */
const endless = ({ signal }: JobContext) =>
  new Promise<string>((_, reject) => signal.addEventListener("abort", () => reject(new AppError("cancelled", "cancelled"))))

it("runs work, tells how far it is, and keeps the record", async () => {
  const { jobs, seen } = made()
  const job = jobs.start("import", "tiny", async ({ report }) => {
    report({ phase: "copy", done: 1, total: 4, unit: "bytes", item: "a" })
    report({ phase: "copy", done: 2, total: 4, unit: "bytes", item: "b" })
    report({ phase: "load", done: 0, total: 1, unit: "fraction" })
    return "model-1"
  })
  expect(job).toMatchObject({ state: "running", subject: "tiny", progress: { phase: "waiting" } })
  const over = await jobs.ended(job.id)
  expect(over).toMatchObject({ state: "done", modelId: "model-1", error: null, progress: { phase: "load" } })
  expect(over.endedAt).not.toBeNull()
  expect(jobs.list()).toEqual([over])
  const told = seen.flatMap((event) => (event.type === "job" ? [`${event.job.state} ${event.job.progress.phase}`] : []))
  expect(told).toEqual(["running waiting", "running copy", "done load"])
})

it("tells progress at most twenty times a second", async () => {
  const { jobs, seen } = made()
  const job = jobs.start("import", "tiny", async ({ report }) => {
    for (let done = 0; done < 100; done++) {
      report({ phase: "copy", done, total: 100, unit: "bytes" })
      await sleep(2)
    }
    return null
  })
  const began = performance.now()
  await jobs.ended(job.id)
  const most = (performance.now() - began) / 50 + 4
  expect(seen.length).toBeGreaterThan(3)
  expect(seen.length).toBeLessThanOrEqual(most)
})

it("tells failures as data, and does not fail itself", async () => {
  const { jobs } = made()
  const failing = jobs.start("quantize", "tiny", async () => {
    throw new AppError("no_space", "The disk is full.", "Free some.")
  })
  expect(await jobs.ended(failing.id)).toMatchObject({
    state: "failed",
    error: { code: "no_space", message: "The disk is full.", hint: "Free some." },
  })
  const throwing = jobs.start("quantize", "tiny", () => {
    throw new Error("oops")
  })
  expect(await jobs.ended(throwing.id)).toMatchObject({ state: "failed", error: { code: "internal", message: "oops" } })
})

it("cancels, and waits until that is done", async () => {
  const { jobs, call } = made()
  const job = jobs.start("starter", "tiny", endless)
  await expect(call("jobs.dismiss", job.id)).rejects.toMatchObject({ code: "busy" })
  await call("jobs.cancel", job.id)
  expect(jobs.list()).toMatchObject([{ state: "cancelled", error: null }])
  await call("jobs.cancel", job.id)
  await call("jobs.dismiss", job.id)
  expect(jobs.list()).toEqual([])
  await expect(call("jobs.cancel", job.id)).rejects.toMatchObject({ code: "not_found" })
})

it("ends everything when it is closed, and says so", async () => {
  const { jobs } = made()
  jobs.start("starter", "one", endless)
  jobs.start("starter", "two", endless)
  await jobs.close()
  expect(jobs.list().map(({ state, error }) => [state, error?.message])).toEqual([
    ["failed", "Nibble was ended while one was being set up. What was downloaded is kept for the next try."],
    ["failed", "Nibble was ended while two was being set up. What was downloaded is kept for the next try."],
  ])
})

it("ends what a dead app was doing, and leaves alone what a living command line does", async () => {
  const { path, database, jobs } = made()
  const mine = jobs.start("starter", "tiny", endless)
  const commandLine = made(path, false)
  const other = commandLine.jobs.start("quantize", "other", endless)
  const dead = commandLine.jobs.start("import", "dead", endless)
  // No process has this number: it is above the largest that Linux, macOS and Windows give.
  database.run("UPDATE jobs SET owner_pid = ? WHERE id = ?", 2 ** 30, dead.id)
  database.run("INSERT INTO jobs VALUES ('broken', '{', 'running', 1, 1, 0)")

  const next = made(path)
  expect(next.jobs.recover()).toEqual(new Set([other.id]))
  const states = Object.fromEntries(next.jobs.list().map((job) => [job.id, job.state]))
  expect(states).toEqual({ [mine.id]: "failed", [other.id]: "running", [dead.id]: "failed" })
  expect(next.jobs.list()[0]?.error).toMatchObject({
    code: "cancelled",
    message: "Nibble was ended while tiny was being set up. What was downloaded is kept for the next try.",
  })
  await expect(next.call("jobs.cancel", other.id)).rejects.toMatchObject({ code: "busy" })
  await commandLine.jobs.close()
  await jobs.close()
})

it("keeps only the latest records", async () => {
  const { jobs } = made()
  for (let number = 0; number < 55; number++) await jobs.ended(jobs.start("import", `model ${number}`, async () => null).id)
  const subjects = jobs.list().map(({ subject }) => subject)
  expect(subjects).toHaveLength(50)
  expect(subjects[0]).toBe("model 5")
  expect(subjects.at(-1)).toBe("model 54")
})
