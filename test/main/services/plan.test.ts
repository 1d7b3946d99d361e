import { join } from "node:path"
import { expect, it } from "vitest"
import { planComputers } from "../../../main/plan/computers.ts"
import { AppError } from "../../../shared/schema/error.ts"
import type { QualityReport } from "../../../shared/schema/quality.ts"
import { FakeEngine, fixtures } from "./fake-engine.ts"
import { runApp, runWithModel } from "./running-app.ts"

const path = join(fixtures, "llama")

it("shows rows with what training takes, quality, and one that is recommended", async () => {
  const { client, engine } = await runApp()
  const report = await client["plan.rows"]({ path })
  expect(report.rows.map(({ format }) => format)).toEqual(["bf16", "int8", "nf4", "nf4-dq", "fp4", "fp4-dq"])
  const nf4 = report.rows[2]
  expect(nf4).toMatchObject({
    speed: null,
    quality: { basis: "typical" },
    train: { total_bytes: 0.55e9 + 0.4e9 + 0.1e9 + 16e7, verdict: "fits" },
  })
  expect(report.recommendation).toMatchObject({ format: "int8", reason: "best_that_fits", context: 8192 })
  expect(report.devices.map(({ name }) => name)).toEqual(["cpu", "disk"])
  // 4 GB available and 0.1 of the engine, without the reserve of a twentieth or 0.5 GiB.
  expect(report.devices[0]?.usableBytes).toBe(4.1e9 - 2 ** 29)
  expect(engine.called("plan.rows")).toHaveLength(2)
})

it("asks about training once while the context moves", async () => {
  const { client, engine } = await runApp()
  for (const context of [1024, 2048, 4096]) await client["plan.rows"]({ path, context })
  const modes = engine.called("plan.rows").map((input) => (input as { mode: string }).mode)
  expect(modes.filter((mode) => mode === "train")).toHaveLength(1)
  expect(modes.filter((mode) => mode === "chat")).toHaveLength(3)
  await client["plan.rows"]({ path, train: { rank: 64 } })
  expect(engine.called("plan.rows").filter((input) => (input as { mode: string }).mode === "train")).toHaveLength(2)
  const training = await client["plan.rows"]({ path, mode: "train", train: { rank: 64 } })
  expect(training.rows[2]?.train?.total_bytes).toBe(training.rows[2]?.total_bytes)
})

it("a model that cannot be trained has a plan all the same; other failures are told", async () => {
  const { client, engine } = await runApp()
  engine.failures.set("plan.rows", new AppError("bad_file", "The file is damaged."))
  await expect(client["plan.rows"]({ path })).rejects.toMatchObject({ code: "bad_file" })
  const release = engine.hold("plan.rows")
  const asked = client["plan.rows"]({ path })
  await expect.poll(() => engine.called("plan.rows").length).toBe(2)
  engine.failures.set("plan.rows", new AppError("unsupported", "It cannot be trained."))
  release()
  expect((await asked).rows.every(({ train }) => train === null)).toBe(true)
})

it("plans for computers that are not here, and with less of any device", async () => {
  const { client, engine } = await runApp()
  const listed = await client["plan.computers"](undefined)
  expect(listed.map(({ id }) => id)).toEqual(planComputers.map(({ id }) => id))
  const report = await client["plan.rows"]({ path, computer: "rtx-3060-12", maxMemory: { gpu0: 1e9, cpu: 2e9 } })
  expect(report.devices.map(({ name, usableBytes }) => [name, usableBytes]).slice(0, 2)).toEqual([
    ["0", 1e9],
    ["cpu", 2e9],
  ])
  expect(report.rows[2]?.speed).toEqual({ tokensPerS: expect.closeTo(3.6e11 / (0.55e9 + 0.4e9 + 8192e5), 3), basis: "bandwidth" })
  expect(engine.called("plan.rows")[0]).not.toHaveProperty("computer")
  await expect(client["plan.rows"]({ path, computer: "abacus" })).rejects.toMatchObject({ code: "not_found" })
  await expect(client["plan.rows"]({ path, maxMemory: { gpu0: 1 } })).rejects.toMatchObject({ code: "bad_input" })
})

it("says what to change so that it fits, and leaves out formats that the model cannot have", async () => {
  const { client } = await runApp()
  const fit = await client["plan.fit"]({ path, format: "bf16", maxMemory: { cpu: 2.6e9 } })
  expect(fit.map(({ kind, to, fitsAfter }) => [kind, to, fitsAfter])).toEqual([
    ["context", "512", true],
    ["format", "int8", true],
  ])
  expect(await client["plan.fit"]({ path, format: "nf4" })).toEqual([])
  const tight = await client["plan.fit"]({ path, format: "nf4", maxMemory: { cpu: 1.9e9 } })
  expect(tight[0]).toMatchObject({ kind: "context", savesBytes: 4096e5, fitsAfter: true, change: { context: 4096 } })
})

it("gives advice for the model and computer at hand", async () => {
  const { client } = await runApp()
  const codes = async (input: object) => (await client["plan.advice"]({ path, format: "nf4", ...input })).map(({ code }) => code)
  expect(await codes({})).toEqual(expect.arrayContaining(["measure_speed", "measure_quality", "load_quantized", "gguf_elsewhere"]))
  expect(await codes({ computer: "rtx-4090-24" })).toEqual(expect.arrayContaining(["gptq_awq_elsewhere", "fp8_elsewhere"]))
  expect(await codes({ computer: "rtx-3060-12" })).not.toContain("fp8_elsewhere")
  await expect(client["plan.advice"]({ path, format: "fp32" })).rejects.toMatchObject({ code: "bad_input" })
})

it("says what a computer can run, from the catalog's configurations alone", async () => {
  const { client, engine, home } = await runApp()
  const table = await client["plan.capacity"]({ computer: "rtx-4090-24", context: 4096 })
  expect(table).toMatchObject({ computer: "rtx-4090-24", context: 4096, formats: ["bf16", "int8", "nf4", "nf4-dq"] })
  expect(table.models).toHaveLength(8)
  expect(table.models[0]).toMatchObject({ name: "Qwen2.5 0.5B", parameters: 1e9 })
  expect(table.models.every(({ cells }) => cells.length === 4 && cells.every(({ tokensPerS }) => tokensPerS !== null))).toBe(true)
  const [first] = engine.called("plan.rows") as { path: string; context: number }[]
  expect(first).toMatchObject({ path: join(home, "cache", "catalog", "qwen2.5-0.5b"), context: 4096 })
  // This computer, which was not measured.
  expect((await client["plan.capacity"]({})).models[0]?.cells[0]?.tokensPerS).toBeNull()
})

it("measures this computer once, tells it, and keeps it for the next start", async () => {
  const running = await runApp()
  const { client, events } = running
  expect((await client["app.snapshot"](undefined)).speed).toBeNull()
  const fractions: number[] = []
  const profile = await client["plan.benchmark"](undefined, ({ fraction }) => void fractions.push(fraction))
  expect(fractions).toEqual([0.5])
  expect(events).toContainEqual({ type: "speed", speed: profile })
  expect((await client["plan.rows"]({ path })).rows[2]?.speed?.basis).toBe("measured")
  const again = await running.restart()
  expect((await again.client["app.snapshot"](undefined)).speed).toEqual(profile)
  // Another number of threads is another speed.
  await again.client["settings.update"]({ threads: 1 })
  expect((await again.client["app.snapshot"](undefined)).speed).toBeNull()
})

it("measures while nothing else works, and can be stopped", async () => {
  const engine = new FakeEngine()
  const { client, app, modelId } = await runWithModel(path, { engine })
  const release = engine.hold("engine.speed")
  const measuring = client["plan.benchmark"](undefined, () => {})
  await expect.poll(() => engine.called("engine.speed").length).toBe(1)
  await expect(client["plan.benchmark"](undefined, () => {})).rejects.toMatchObject({ code: "busy" })
  await expect(client["models.unload"](undefined)).rejects.toMatchObject({ code: "busy", message: expect.stringContaining("speed") })
  release()
  await measuring
  await expect(app.services.loader.use("a reply", () => client["plan.benchmark"](undefined, () => {}))).rejects.toMatchObject({
    code: "busy",
  })
  const holdLoad = engine.hold("model.load")
  const loading = client["models.load"]({ modelId })
  await expect.poll(() => engine.called("model.load").length).toBe(2)
  await expect(client["plan.benchmark"](undefined, () => {})).rejects.toMatchObject({ code: "busy" })
  holdLoad()
  await loading
  engine.hold("engine.speed")
  const stop = new AbortController()
  const stopped = client["plan.benchmark"](undefined, () => {}, stop.signal)
  await expect.poll(() => engine.called("engine.speed").length).toBe(2)
  stop.abort()
  await expect(stopped).rejects.toMatchObject({ code: "cancelled" })
})

it("what was measured of a format takes the place of what is typical", async () => {
  const { client, engine, modelId } = await runWithModel(path)
  const figures = { format: "nf4" as const, perplexity: 21, klMean: 0.1, klMax: 1, sameTopToken: 0.777 }
  const report: QualityReport = {
    ...{ text: "bundled", tokens: 100, window: 512, seconds: 1, measuredAt: 1 },
    ...{ original: { ...figures, format: "bf16" }, formats: [figures] },
  }
  engine.quality = report
  await client["quality.measure"]({ modelId, formats: ["nf4"] }, () => {})
  const { rows } = await client["plan.rows"]({ path })
  expect(rows[2]?.quality).toEqual({ sameTopToken: 0.777, basis: "measured" })
  expect(rows[1]?.quality?.basis).toBe("typical")
})
