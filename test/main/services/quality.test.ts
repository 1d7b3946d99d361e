import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import type { Engine } from "../../../main/engine/client.ts"
import { inspectModel } from "../../../main/models/inspect.ts"
import { createEvents } from "../../../main/services/events.ts"
import { createInUse } from "../../../main/services/models.ts"
import { createQuality } from "../../../main/services/quality.ts"
import { createRegistry } from "../../../main/services/registry.ts"
import { createTurns } from "../../../main/services/turns.ts"
import { openDatabase } from "../../../main/storage/database.ts"
import { dataPaths } from "../../../main/storage/paths.ts"
import type { QualityReport } from "../../../shared/schema/quality.ts"
import { scratchFolder } from "../scratch.ts"
import { fixtures } from "./fake-engine.ts"

type Run = Engine["client"]["quality.run"]
type Wish = Parameters<Run>[0]

const figures = (format: "bf16" | "nf4" | "int8", perplexity: number) => ({ format, perplexity, klMean: 0.1, klMax: 2, sameTopToken: 0.9 })

function reportOf({ formats = [], textFile }: Wish, change: Partial<QualityReport> = {}): QualityReport {
  const made = formats.map((format, i) => figures(format as "nf4", 20 + i))
  const about = { text: textFile ?? "bundled", tokens: 2000, window: 512, seconds: 1, measuredAt: 5 }
  return { ...about, original: figures("bf16", 19), formats: made, ...change }
}

async function made(run: (wish: Wish, signal: AbortSignal) => Promise<QualityReport> = async (wish) => reportOf(wish)) {
  const paths = dataPaths(scratchFolder())
  mkdirSync(paths.models, { recursive: true })
  const database = openDatabase(paths.database)
  onTestFinished(() => database.close())
  const registry = createRegistry({ database, events: createEvents(), paths })
  const inUse = createInUse()
  const wishes: Wish[] = []
  const call = (async (wish: Wish, onEvent: Parameters<Run>[1], signal: AbortSignal) => {
    wishes.push(wish)
    onEvent({ fraction: 0.5, item: "layer 1 of 2", filesDone: [] })
    return run(wish, signal)
  }) as Run
  const settings = { get: () => ({ threads: 3 }) as ReturnType<Parameters<typeof createQuality>[0]["settings"]["get"]> }
  const engine = { client: { "quality.run": call } as Engine["client"] }
  const quality = createQuality({ database, engine, registry, settings, inUse, takeTurn: createTurns() })
  const add = async (name: string, source = "local") =>
    registry.add({ inspection: await inspectModel(join(fixtures, name)), source, note: null, isOwned: false })
  const events: { fraction: number; item: string }[] = []
  const measure = async (
    input: { modelId: string; formats: ("nf4" | "int8")[]; textFile?: string },
    signal: AbortSignal = new AbortController().signal,
  ) => quality.handlers["quality.measure"](input, { signal, emit: async (event) => void events.push(event) })
  return { quality, registry, inUse, add, measure, wishes, events }
}

it("measures formats of an installed model, and remembers them under each of its names", async () => {
  const { quality, inUse, add, measure, wishes, events } = await made(async (wish) => {
    expect(inUse.has(id)).toBe(true)
    return reportOf(wish)
  })
  const { id, path } = await add("llama", "hub:org/tiny@abc")
  expect(quality.measured(id, "nf4")).toBeNull()
  const report = await measure({ modelId: id, formats: ["nf4", "int8", "nf4"] })
  expect(wishes).toEqual([{ path, formats: ["nf4", "int8"], threads: 3 }])
  expect(events).toEqual([{ fraction: 0.5, item: "layer 1 of 2" }])
  expect(inUse.has(id)).toBe(false)
  expect(report.formats).toHaveLength(2)
  for (const name of [id, path, "hub:org/tiny@abc"]) {
    expect(quality.measured(name, "int8")).toEqual({
      ...figures("int8", 21),
      ...{ text: "bundled", tokens: 2000, originalPerplexity: 19, measuredAt: 5 },
    })
  }
  expect(quality.measured(id, "fp4")).toBeNull()
  expect(quality.measured("local", "nf4")).toBeNull()
})

it("knows the figures of the bundled text before those of others, and new ones before old ones", async () => {
  let perplexity = 30
  const { quality, add, measure } = await made(async (wish) =>
    reportOf(wish, { formats: [figures("nf4", perplexity)], measuredAt: perplexity++ }),
  )
  const { id } = await add("llama")
  await measure({ modelId: id, formats: ["nf4"], textFile: "a.txt" })
  await measure({ modelId: id, formats: ["nf4"], textFile: "b.txt" })
  expect(quality.measured(id, "nf4")).toMatchObject({ text: "b.txt", perplexity: 31 })
  await measure({ modelId: id, formats: ["nf4"] })
  await measure({ modelId: id, formats: ["nf4"] })
  await measure({ modelId: id, formats: ["nf4"], textFile: "b.txt" })
  expect(quality.measured(id, "nf4")).toMatchObject({ text: "bundled", perplexity: 33 })
  expect(quality.measured("local", "nf4")).toBeNull()
})

it("measures one at a time; who is cancelled while waiting never begins, and nothing is kept of it", async () => {
  const gate = Promise.withResolvers<void>()
  const { quality, add, measure, wishes } = await made(async (wish) => {
    await gate.promise
    return reportOf(wish)
  })
  const { id } = await add("llama")
  const abort = new AbortController()
  const first = measure({ modelId: id, formats: ["nf4"] })
  const second = measure({ modelId: id, formats: ["int8"] }, abort.signal)
  await expect.poll(() => wishes).toHaveLength(1)
  abort.abort()
  await expect(second).rejects.toMatchObject({ code: "cancelled" })
  gate.resolve()
  await first
  expect(wishes).toHaveLength(1)
  expect(quality.measured(id, "nf4")).not.toBeNull()
  expect(quality.measured(id, "int8")).toBeNull()
})

it("refuses a model that is not there or cannot run", async () => {
  const { add, measure, registry } = await made()
  await expect(measure({ modelId: "none", formats: ["nf4"] })).rejects.toMatchObject({ code: "not_found" })
  const { id } = await add("llama")
  const inspection = { ...(await inspectModel(join(fixtures, "llama"))), supported: false, reason: "Too odd." }
  registry.add({ inspection, source: "local", note: null, isOwned: false })
  await expect(measure({ modelId: id, formats: ["nf4"] })).rejects.toMatchObject({ code: "unsupported", message: "Too odd." })
})
