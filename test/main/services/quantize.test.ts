import { existsSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { expect, it, vi } from "vitest"
import { noteFor } from "../../../main/services/quantize.ts"
import { AppError } from "../../../shared/schema/error.ts"
import { fixtures } from "./fake-engine.ts"
import { runApp } from "./running-app.ts"

async function withSource(name = "llama") {
  const running = await runApp()
  const { modelId } = await running.ended(await running.client["models.import"]({ path: join(fixtures, name) }))
  const models = async () => (await running.client["app.snapshot"](undefined)).models
  return { ...running, modelId: modelId ?? "", models, folder: join(running.home, "models") }
}

it("makes an owned model beside its source and loads it", async () => {
  const { client, ended, engine, modelId, models, folder, events } = await withSource()
  await client["settings.update"]({ threads: 2 })
  const job = await client["models.quantize"]({
    modelId,
    ...{ format: "nf4-dq", blockSize: 128, skipModules: ["lm_head"], embeddings: "int8", experts: "fp4" },
  })
  expect(job).toMatchObject({ kind: "quantize", subject: "llama", state: "running" })
  const over = await ended(job)
  expect(over).toMatchObject({ state: "done", progress: { phase: "load", done: expect.any(Number) } })
  const made = (await models()).find(({ id }) => id === over.modelId)
  expect(made).toMatchObject({
    name: "llama",
    path: join(folder, "llama-nf4-dq"),
    format: "nf4-dq",
    source: `quantized:${modelId}`,
    isOwned: true,
    supported: true,
    note: null,
  })
  expect(readdirSync(folder)).toEqual(["llama-nf4-dq"])
  expect(engine.called("quantize.run")[0]).toMatchObject({
    path: join(fixtures, "llama"),
    format: "nf4-dq",
    blockSize: 128,
    skipModules: ["lm_head"],
    embeddings: "int8",
    experts: "fp4",
    threads: 2,
  })
  expect((await client["app.snapshot"](undefined)).load).toMatchObject({ state: "ready", model: { id: over.modelId } })
  const phases = new Set(events.flatMap((event) => (event.type === "job" && event.job.id === job.id ? [event.job.progress.phase] : [])))
  expect([...phases]).toEqual(expect.arrayContaining(["waiting", "load"]))
})

it("finds a free name, and carries the note of a copy that was quantized before", async () => {
  const { client, ended, engine, modelId, models, folder } = await withSource("gguf/qwen2-q4_0.gguf")
  for (const name of ["-int8", "-int8-2"]) {
    const { modelId: made } = await ended(await client["models.quantize"]({ modelId, format: "int8", loadAfter: false }))
    const model = (await models()).find(({ id }) => id === made)
    expect(basename(model?.path ?? "")).toMatch(new RegExp(`${name}$`))
    expect(model?.note).toBe("This copy was already 4-bit (Q4_0) before it was quantized here, so it is a little worse than the original.")
  }
  expect(engine.called("quantize.run")[0]).toMatchObject({ note: expect.stringContaining("already 4-bit (Q4_0)") })
  expect(readdirSync(folder)).toHaveLength(2)
  expect((await client["app.snapshot"](undefined)).load.state).toBe("none")
})

it("leaves nothing half-made when it fails or is cancelled", async () => {
  const { client, ended, engine, modelId, models, folder } = await withSource()
  engine.failures.set("quantize.run", new AppError("no_space", "The disk is full."))
  expect(await ended(await client["models.quantize"]({ modelId, format: "nf4" }))).toMatchObject({
    state: "failed",
    error: { code: "no_space" },
  })
  expect(readdirSync(folder)).toEqual([])

  engine.hold("quantize.run")
  const job = await client["models.quantize"]({ modelId, format: "nf4" })
  await vi.waitFor(() => expect(engine.called("quantize.run")).toHaveLength(2))
  await client["jobs.cancel"]({ jobId: job.id })
  expect((await ended(job)).state).toBe("cancelled")
  expect(readdirSync(folder)).toEqual([])
  expect(await models()).toHaveLength(1)
})

it("leaves nothing half-made when the engine dies, and quantizes again after that", async () => {
  const { client, ended, engine, modelId, folder } = await withSource()
  const release = engine.hold("quantize.run")
  const job = await client["models.quantize"]({ modelId, format: "nf4" })
  await vi.waitFor(() => expect(engine.called("quantize.run")).toHaveLength(1))
  engine.kill()
  expect(await ended(job)).toMatchObject({ state: "failed", error: { code: "engine_lost" } })
  release()
  expect(readdirSync(folder)).toEqual([])
  expect((await ended(await client["models.quantize"]({ modelId, format: "nf4" }))).state).toBe("done")
})

it("quantizes one model at a time, and lets a waiting one be cancelled", async () => {
  const { client, ended, engine, modelId, folder } = await withSource()
  const release = engine.hold("quantize.run")
  const first = await client["models.quantize"]({ modelId, format: "nf4", loadAfter: false })
  await vi.waitFor(() => expect(engine.called("quantize.run")).toHaveLength(1))
  const second = await client["models.quantize"]({ modelId, format: "int8", loadAfter: false })
  const third = await client["models.quantize"]({ modelId, format: "fp4", loadAfter: false })
  await vi.waitFor(async () => expect((await client["app.snapshot"](undefined)).jobs.at(-1)?.progress.phase).toBe("waiting"))
  await client["jobs.cancel"]({ jobId: second.id })
  expect((await ended(second)).state).toBe("cancelled")
  expect(engine.called("quantize.run")).toHaveLength(1)
  release()
  expect((await ended(first)).state).toBe("done")
  expect((await ended(third)).state).toBe("done")
  expect(engine.called("quantize.run")).toHaveLength(2)
  expect(existsSync(join(folder, "llama-int8"))).toBe(false)
})

it("is done though the result cannot be loaded; the load state says why", async () => {
  const { client, ended, engine, modelId } = await withSource()
  engine.failures.set("model.load", new AppError("out_of_memory", "Too large."))
  expect(await ended(await client["models.quantize"]({ modelId, format: "nf4" }))).toMatchObject({ state: "done", error: null })
  expect((await client["app.snapshot"](undefined)).load).toMatchObject({ state: "failed", code: "out_of_memory" })
})

it("knows which copies have lost something before", () => {
  expect(noteFor("bf16")).toBeNull()
  expect(noteFor("nf4")).toBeNull()
  expect(noteFor("q6_k")).toContain("already 6-bit (Q6_K)")
})
