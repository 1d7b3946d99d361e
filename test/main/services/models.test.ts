import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it, vi } from "vitest"
import { scratchFolder } from "../scratch.ts"
import { fixtures } from "./fake-engine.ts"
import { runApp, runWithModel } from "./running-app.ts"

const llama = join(fixtures, "llama")
const gguf = join(fixtures, "gguf", "llama-bpe-bf16.gguf")

it("says what a path holds", async () => {
  const { client } = await runApp()
  expect(await client["models.inspect"]({ path: llama })).toMatchObject({ path: llama, architecture: "LlamaForCausalLM", supported: true })
  expect((await client["models.inspect"]({ path: llama, withTensors: true })).tensors?.length).toBeGreaterThan(5)
  await expect(client["models.inspect"]({ path: join(llama, "none") })).rejects.toMatchObject({ code: "not_found" })
})

it("reads a model where it lies, and removing it deletes nothing", async () => {
  const { client, ended } = await runApp()
  const folder = join(scratchFolder(), "mine")
  cpSync(llama, folder, { recursive: true })
  const job = await ended(await client["models.import"]({ path: folder }))
  expect(job).toMatchObject({ kind: "import", state: "done", subject: "mine" })
  const [model] = (await client["app.snapshot"](undefined)).models
  expect(model).toMatchObject({ id: job.modelId, path: folder, isOwned: false, source: "local", note: null })
  // Twice is once.
  expect((await ended(await client["models.import"]({ path: folder }))).modelId).toBe(job.modelId)
  expect(await client["models.remove"]({ modelId: job.modelId ?? "" })).toEqual({ freedBytes: 0 })
  expect(existsSync(join(folder, "model.safetensors"))).toBe(true)
  expect((await client["app.snapshot"](undefined)).models).toEqual([])
})

it("copies folders and files, and removing them frees the space", async () => {
  const { client, ended, home } = await runApp()
  const models = join(home, "models")
  for (const [path, kept] of [
    [llama, join(models, "llama")],
    [gguf, join(models, "llama-bpe-bf16", "llama-bpe-bf16.gguf")],
  ] as const) {
    const { modelId, progress } = await ended(await client["models.import"]({ path, copy: true }))
    expect(progress).toMatchObject({ phase: "copy", unit: "bytes" })
    const model = (await client["app.snapshot"](undefined)).models.find(({ id }) => id === modelId)
    expect(model).toMatchObject({ isOwned: true, supported: true })
    expect(existsSync(model?.path ?? "")).toBe(true)
    expect([model?.path, kept]).toContain(model?.path)
    expect((await client["models.remove"]({ modelId: modelId ?? "" })).freedBytes).toBeGreaterThan(1000)
    expect(readdirSync(models)).toEqual([])
  }
})

it("refuses what cannot run, before anything is copied", async () => {
  const { client, home } = await runApp()
  const folder = scratchFolder()
  writeFileSync(join(folder, "config.json"), JSON.stringify({ architectures: ["FooForCausalLM"], model_type: "foo" }))
  writeFileSync(join(folder, "pytorch_model.bin"), "x")
  await expect(client["models.import"]({ path: folder, copy: true })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("FooForCausalLM"),
  })
  expect(readdirSync(join(home, "models"))).toEqual([])
  expect((await client["app.snapshot"](undefined)).jobs).toEqual([])
})

it("takes what cannot run where it can be quantized, and quantizes it without loading what comes of it", async () => {
  const { client, ended, engine } = await runApp()
  const folder = scratchFolder()
  cpSync(llama, folder, { recursive: true })
  writeFileSync(join(folder, "config.json"), JSON.stringify({ architectures: ["FooForCausalLM"], model_type: "foo" }))
  const { modelId } = await ended(await client["models.import"]({ path: folder, copy: true }))
  const models = async () => (await client["app.snapshot"](undefined)).models
  const reason = expect.stringContaining("FooForCausalLM")
  expect(await models()).toMatchObject([{ id: modelId, supported: false, reason, canBeQuantized: true, isOwned: true }])
  await expect(client["models.load"]({ modelId: modelId ?? "" })).rejects.toMatchObject({ code: "unsupported" })
  // The fake engine makes one that can run.
  engine.afterQuantize = (out) => writeFileSync(join(out, "config.json"), JSON.stringify({ architectures: ["FooForCausalLM"] }))
  const job = await ended(await client["models.quantize"]({ modelId: modelId ?? "", format: "nf4-dq" }))
  expect(job.state).toBe("done")
  expect(await models()).toMatchObject([{ canBeQuantized: true }, { id: job.modelId, supported: false, canBeQuantized: false }])
  expect(engine.called("model.load")).toEqual([])
})

it("runs what an older Nibble could only quantize, under its old name", async () => {
  const running = await runApp()
  const folder = join(scratchFolder(), "mine")
  cpSync(llama, folder, { recursive: true })
  const config = readFileSync(join(folder, "config.json"))
  writeFileSync(join(folder, "config.json"), JSON.stringify({ architectures: ["FooForCausalLM"], model_type: "foo" }))
  const { modelId } = await running.ended(await running.client["models.import"]({ path: folder, copy: true }))
  const models = async (app: typeof running) => (await app.client["app.snapshot"](undefined)).models
  const [before] = await models(running)
  const again = await running.restart()
  expect(await models(again)).toEqual([before])
  // As if the architecture had become known.
  writeFileSync(join(before?.path ?? "", "config.json"), config)
  const [after] = await models(await again.restart())
  const same = { id: modelId, name: "mine", path: before?.path, source: "local", isOwned: true, addedAt: before?.addedAt }
  expect(after).toMatchObject({ ...same, supported: true, reason: null, architecture: "LlamaForCausalLM" })
})

it("leaves nothing half-made when copying fails or is cancelled", async () => {
  const { client, ended, home } = await runApp()
  const folder = join(scratchFolder(), "mine")
  cpSync(llama, folder, { recursive: true })
  symlinkSync(join(folder, "gone"), join(folder, "NOTICE"))
  expect(await ended(await client["models.import"]({ path: folder, copy: true }))).toMatchObject({
    state: "failed",
    error: { code: "not_found" },
  })
  expect(readdirSync(join(home, "models"))).toEqual([])

  // Large enough to be cancelled in the middle; it has no content, so it takes no room here.
  rmSync(join(folder, "NOTICE"))
  writeFileSync(join(folder, "NOTICE"), "")
  truncateSync(join(folder, "NOTICE"), 8e9)
  const job = await client["models.import"]({ path: folder, copy: true })
  await client["jobs.cancel"]({ jobId: job.id })
  expect((await ended(job)).state).toBe("cancelled")
  expect(readdirSync(join(home, "models"))).toEqual([])
})

it("unloads a model before it is removed, and keeps one that a job reads", async () => {
  const { client, engine, modelId } = await runWithModel(llama)
  const release = engine.hold("quantize.run")
  const job = await client["models.quantize"]({ modelId, format: "nf4", loadAfter: false })
  await vi.waitFor(() => expect(engine.called("quantize.run")).toHaveLength(1))
  await expect(client["models.remove"]({ modelId })).rejects.toMatchObject({ code: "busy" })
  await client["jobs.cancel"]({ jobId: job.id })
  release()
  await client["models.remove"]({ modelId })
  expect((await client["app.snapshot"](undefined)).load).toEqual({ state: "none" })
  await expect(client["models.remove"]({ modelId })).rejects.toMatchObject({ code: "not_found" })
})

it("says what deleting would free and who uses the model", async () => {
  const { client, ended } = await runApp()
  const { modelId } = await ended(await client["models.import"]({ path: llama, copy: true }))
  const id = modelId ?? ""
  const [model] = (await client["app.snapshot"](undefined)).models
  expect(await client["models.removal"]({ modelId: id })).toEqual({ freedBytes: model?.disk_bytes, usedBy: [] })
  await client["models.load"]({ modelId: id })
  await ended(await client["models.quantize"]({ modelId: id, format: "nf4-dq", loadAfter: false }))
  expect((await client["models.removal"]({ modelId: id })).usedBy).toEqual([
    { kind: "loaded", name: "llama" },
    { kind: "copy", name: "llama (nf4-dq)" },
  ])
})

it("gives lines to go on with elsewhere", async () => {
  const { client, ended } = await runApp()
  const { modelId } = await ended(await client["models.import"]({ path: llama }))
  const { python, vllm } = await client["models.snippets"]({ modelId: modelId ?? "" })
  expect(python).toContain(`folder = ${JSON.stringify(llama)}`)
  expect(vllm).toContain(`vllm serve ${llama}`)
})
