// Real files, real transfers from a hub on loopback, the real engine; where only the order of things matters, a fake one.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { forkHost } from "../../../main/engine/fork.ts"
import { openModel } from "../../../main/models/open.ts"
import { sha256 } from "../../hub/repository.ts"
import { scratchFolder } from "../scratch.ts"
import { addingService, testHub } from "./adding.ts"
import { FakeEngine, fixtures } from "./fake-engine.ts"
import { asked, fileStates, quantizedWhole, repository, sharded, shards, tensorsIn } from "./tiny-llama.ts"

process.env.NIBBLE_CHECKED = "1"

describe("a model of this computer", () => {
  it("is quantized where it lies, checked and put among the models", async () => {
    const adding = await addingService({ hub: null, startHost: forkHost })
    const before = readdirSync(sharded)
    const { id, path, state, step } = await adding.fromHere(sharded, { format: "nf4-dq" })
    expect({ path, state, step }).toEqual({ path: sharded, state: "draft", step: "plan" })
    expect(await adding.start(id)).toMatchObject({ state: "running" })
    const done = await adding.reached(id)
    expect(done).toMatchObject({ state: "done", step: "done", error: null, check: { state: "done" }, quantize: { phase: "quantize" } })
    const [model] = adding.registry.list()
    expect(model).toMatchObject({ id: done.modelId, format: "nf4-dq", path: join(adding.paths.models, "llama-tied-sharded-nf4-dq") })
    expect(await tensorsIn(model?.path ?? "")).toEqual(await quantizedWhole("nf4-dq"))
    expect(readdirSync(adding.paths.downloads)).toEqual([])
    expect(readdirSync(sharded)).toEqual(before)
    // What stays in 16 bits has its bytes, and every tensor its error.
    expect(done.kept.map(({ reason, tensors }) => [reason, tensors])).toEqual([
      ["the embedding", 1],
      ["a vector", 5],
    ])
    expect(done.kept[0]).toMatchObject({ bytes: 576 * 64 * 2, examples: ["model.embed_tokens.weight"] })
    const tensors = await adding.tensors(id)
    expect(tensors).toHaveLength(14)
    for (const { error } of tensors) expect(error).toBeGreaterThan(0.01)
  })

  it("can be taken as it is, or with its original on the list", async () => {
    const adding = await addingService({ hub: null, startHost: forkHost })
    const stored = await adding.fromHere(sharded, { format: "stored" })
    await adding.start(stored.id)
    const taken = await adding.reached(stored.id)
    expect(taken).toMatchObject({ state: "done", check: { state: "skipped", reason: expect.stringContaining("not quantized") } })
    expect(adding.registry.list()).toMatchObject([{ id: taken.modelId, path: sharded, isOwned: false, format: "bf16" }])

    const gguf = join(fixtures, "gguf", "qwen2-q4_0.gguf")
    const quantized = await adding.fromHere(gguf, { format: "int8", keepOriginals: true, check: false })
    await adding.start(quantized.id)
    const done = await adding.reached(quantized.id)
    expect(done).toMatchObject({ state: "done", error: null, check: { state: "skipped", reason: "It was not asked for." } })
    expect(adding.registry.list().slice(1)).toMatchObject([
      { path: gguf, isOwned: false, format: "q4_0" },
      { id: done.modelId, isOwned: true, format: "int8", note: expect.stringContaining("already 4-bit") },
    ])
  })

  it("that cannot be used is refused with the reason", async () => {
    const adding = await addingService({ hub: null, startHost: forkHost })
    await expect(adding.fromHere(scratchFolder())).rejects.toMatchObject({ code: "bad_input" })
    expect(adding.service.list()).toEqual([])
    await expect(adding.start("nothing")).rejects.toMatchObject({ code: "not_found" })
  })
})

describe("a model of the hub", () => {
  it("is downloaded, quantized and checked side by side; only the quantized model stays", async () => {
    const hub = await testHub({ repositories: [repository] })
    const adding = await addingService({ hub, startHost: forkHost })
    const { id, files } = await adding.fromHub("org/tiny-llama", { format: "nf4", compareWith: ["int8"] })
    expect(files.map(({ state }) => state)).toEqual(files.map(() => "waiting"))
    await adding.start(id)
    const done = await adding.reached(id)
    expect(done).toMatchObject({ state: "done", step: "done", error: null, helpUrl: null, download: { phase: expect.any(String) } })
    const [model] = adding.registry.list()
    expect(model).toMatchObject({ name: "tiny-llama", format: "nf4", license: "apache-2.0", isOwned: true })
    expect(model?.source).toBe(`hub:org/tiny-llama@${hub.repositories.get("org/tiny-llama")?.revision}`)
    expect(await tensorsIn(model?.path ?? "")).toEqual(await quantizedWhole("nf4"))
    await openModel(model?.path ?? "")
    expect(done.check.state === "done" && done.check.report.formats.map(({ format }) => format)).toEqual(["nf4", "int8"])
    expect(fileStates(done)).toMatchObject(Object.fromEntries(shards.map((name) => [name, "used"])))
    expect(readdirSync(adding.paths.downloads)).toEqual(["headers"])
    expect(readdirSync(adding.paths.models)).toEqual(["tiny-llama-nf4"])
    expect(asked(hub.requests)).toEqual([1, 1, 1])
    const told = adding.seen.filter((event) => event.type === "addition")
    expect(told.length).toBeGreaterThan(2)
  })

  it("keeps the originals as a model of their own, or alone", async () => {
    const hub = await testHub({ repositories: [repository] })
    const adding = await addingService({ hub, startHost: forkHost })
    const both = await adding.fromHub("org/tiny-llama", { format: "int8", keepOriginals: true, check: false })
    await adding.start(both.id)
    expect(await adding.reached(both.id)).toMatchObject({ state: "done", error: null })
    const stored = await adding.fromHub("org/tiny-llama", { format: "stored" })
    await adding.start(stored.id)
    expect(await adding.reached(stored.id)).toMatchObject({ state: "done", error: null })
    expect(adding.registry.list().map(({ format, path }) => [format, path.slice(adding.paths.models.length + 1)])).toEqual([
      ["bf16", "tiny-llama"],
      ["int8", "tiny-llama-int8"],
      ["bf16", "tiny-llama-2"],
    ])
    for (const name of ["tiny-llama", "tiny-llama-2"]) {
      const folder = join(adding.paths.models, name)
      expect(readdirSync(folder)).toEqual(readdirSync(sharded))
      for (const file of readdirSync(folder)) expect(readFileSync(join(folder, file)).equals(readFileSync(join(sharded, file)))).toBe(true)
    }
  })

  it("uses files of the Hugging Face cache in place, and leaves them there", async () => {
    const hub = await testHub({ repositories: [repository] })
    const cache = scratchFolder()
    const blobs = join(cache, "models--org--tiny-llama", "blobs")
    mkdirSync(blobs, { recursive: true })
    for (const name of shards.slice(0, 2)) cpSync(join(sharded, name), join(blobs, sha256(readFileSync(join(sharded, name)))))
    const adding = await addingService({ hub, startHost: forkHost, cache })
    for (const keepOriginals of [false, true]) {
      const { id } = await adding.fromHub("org/tiny-llama", { format: "nf4", check: false, keepOriginals })
      await adding.start(id)
      const done = await adding.reached(id)
      expect(done).toMatchObject({ state: "done", error: null })
      expect(shards.map((name) => fileStates(done)[name])).toEqual(["cached", "cached", keepOriginals ? "verified" : "used"])
    }
    expect(asked(hub.requests)).toEqual([0, 0, 2])
    expect(readdirSync(blobs)).toHaveLength(2)
    const [first, original] = adding.registry.list()
    expect(await tensorsIn(first?.path ?? "")).toEqual(await quantizedWhole("nf4"))
    rmSync(cache, { recursive: true })
    expect(await tensorsIn(original?.path ?? "")).toEqual(await tensorsIn(sharded))
  })

  it("as GGUF is quantized when it is complete", async () => {
    const file = "qwen2-q4_0.gguf"
    const content = readFileSync(join(fixtures, "gguf", file))
    const hub = await testHub({ repositories: [{ name: "org/small-GGUF", files: { [file]: content } }] })
    const adding = await addingService({ hub, startHost: forkHost })
    const { id, name } = await adding.fromHub("org/small-GGUF", { format: "nf4", check: false })
    expect(name).toBe("qwen2-q4_0")
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", error: null })
    expect(adding.registry.list()).toMatchObject([{ format: "nf4", note: expect.stringContaining("already 4-bit") }])
    const stored = await adding.fromHub("org/small-GGUF", { format: "stored" })
    await adding.start(stored.id)
    await adding.reached(stored.id)
    expect(adding.registry.list()[1]).toMatchObject({ format: "q4_0", path: join(adding.paths.models, "qwen2-q4_0", file) })
  })
})

it("passes all options of the quantizer through", async () => {
  const engine = new FakeEngine()
  const adding = await addingService({ hub: null, startHost: engine.startHost, settings: { threads: 3 } })
  const how = {
    blockSize: 128 as const,
    skipModules: ["lm_head", "q_proj"],
    embeddings: "int8" as const,
    threshold: 5,
    computeDtype: "fp32" as const,
  }
  const { id } = await adding.fromHere(sharded, { format: "fp4-dq", ...how, check: false })
  await adding.start(id)
  expect(await adding.reached(id)).toMatchObject({ state: "done" })
  expect(engine.called("quantize.run")).toMatchObject([
    { path: sharded, format: "fp4-dq", ...how, computeDtype: "float32", threads: 3, isArriving: true, withErrors: true },
  ])
})

it("leaves out records that cannot be read", async () => {
  const home = scratchFolder()
  const adding = await addingService({ hub: null, startHost: new FakeEngine().startHost, home })
  await adding.fromHere(sharded)
  await adding.close()
  writeFileSync(join(home, "note"), "")
  const again = await addingService({ hub: null, startHost: new FakeEngine().startHost, home })
  expect(again.service.list()).toMatchObject([{ state: "draft", path: sharded }])
})
