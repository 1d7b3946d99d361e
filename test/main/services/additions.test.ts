// Real files, real transfers from a hub on loopback, the real engine; where only the order of things matters, a fake one.
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, vi } from "vitest"
import { loadAddon } from "../../../main/engine/addon.ts"
import { forkHost } from "../../../main/engine/fork.ts"
import { quantizeModel } from "../../../main/engine/quantize.ts"
import { openModel } from "../../../main/models/open.ts"
import type { Addition } from "../../../shared/schema/addition.ts"
import { AppError } from "../../../shared/schema/error.ts"
import { sha256 } from "../../hub/repository.ts"
import { partsOf } from "../engine/rewritten.ts"
import { scratchFolder } from "../scratch.ts"
import { addingService, hubModelOf, testHub } from "./adding.ts"
import { FakeEngine, fixtures } from "./fake-engine.ts"

process.env.NIBBLE_CHECKED = "1"

const sharded = join(fixtures, "llama-tied-sharded")
const shards = [1, 2, 3].map((number) => `model-0000${number}-of-00003.safetensors`)
const repository = { name: "org/tiny-llama", folder: sharded }

/** By name, the bytes of every tensor of a folder. */
async function tensorsIn(folder: string): Promise<Map<string, string>> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"))
  const parts = (await Promise.all(files.map((name) => partsOf(join(folder, name))))).flat()
  return new Map(parts.map(({ name, dtype, shape, bytes }) => [name, `${dtype} ${shape} ${bytes.toString("base64")}`]))
}

const whole = new Map<string, Promise<Map<string, string>>>()

/** The model quantized the plain way. */
function quantizedWhole(format: "nf4" | "nf4-dq" | "int8"): Promise<Map<string, string>> {
  const made = whole.get(format) ?? quantizeWhole(format)
  whole.set(format, made)
  return made
}

async function quantizeWhole(format: "nf4" | "nf4-dq" | "int8"): Promise<Map<string, string>> {
  const out = join(scratchFolder(), "whole")
  const options = { path: sharded, out, format, blockSize: 64 as const, threshold: 6, threads: 1 }
  await quantizeModel(loadAddon(), options, { signal: new AbortController().signal, emit: async () => {} })
  return tensorsIn(out)
}

const fileStates = ({ files }: Addition) => Object.fromEntries(files.map(({ name, state }) => [name, state]))
/** Of the bytes of weights: how often each file was asked for. */
const asked = (requests: { server: string; path: string }[]) =>
  shards.map((name) => requests.filter(({ server, path }) => server === "storage" && path.includes(name)).length)

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

describe("ended and gone on with", () => {
  /** So slow that the second file is under way for seconds, once the first is quantized. */
  async function midway() {
    const hub = await testHub({ repositories: [repository] })
    hub.faults.add({ match: shards[1] ?? "", kind: "stall", at: 40_000, times: 1 })
    hub.faults.add({ match: shards[2] ?? "", kind: "stall", at: 10_000, times: 1 })
    const home = scratchFolder()
    const adding = await addingService({ hub, startHost: forkHost, home })
    const { id } = await adding.fromHub("org/tiny-llama", { format: "nf4", check: false })
    await adding.start(id)
    await adding.reached(id, (addition) => fileStates(addition)[shards[0] ?? ""] === "used")
    return { hub, adding, id, home }
  }

  it("pauses with what is finished, and goes on from there", async () => {
    const { hub, adding, id } = await midway()
    expect(await adding.pause(id)).toMatchObject({ state: "paused", step: "download" })
    await expect(adding.reached(id)).resolves.toMatchObject({ state: "paused" })
    const files = join(adding.paths.downloads, id, "files")
    expect(existsSync(join(files, shards[0] ?? ""))).toBe(false)
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", error: null })
    expect(asked(hub.requests)[0]).toBe(1)
    expect(await tensorsIn(adding.registry.list()[0]?.path ?? "")).toEqual(await quantizedWhole("nf4"))
  })

  it("goes on by itself after a restart; what is paused stays paused, what failed stays failed", async () => {
    const { hub, adding, id, home } = await midway()
    const paused = await adding.fromHub("org/tiny-llama", { format: "int8" })
    await adding.start(paused.id)
    await adding.pause(paused.id)
    const failed = await adding.fromHub("org/tiny-llama", { format: "nf4", skipModules: ["model"] })
    await adding.start(failed.id)
    expect(await adding.reached(failed.id)).toMatchObject({ state: "failed", error: { code: "bad_input" } })
    await adding.close()

    const again = await addingService({ hub, startHost: forkHost, home })
    expect(again.get(id)).toMatchObject({ state: "running", step: "download" })
    again.service.resume()
    expect(await again.reached(id)).toMatchObject({ state: "done", error: null })
    expect(again.get(paused.id)).toMatchObject({ state: "paused" })
    expect(again.get(failed.id)).toMatchObject({ state: "failed", error: { code: "bad_input" } })
    expect(asked(hub.requests)[0]).toBeGreaterThan(0)
  })

  it("goes on from the data folder as it was when the program was killed", async () => {
    const { hub, adding, id, home } = await midway()
    const after = scratchFolder()
    cpSync(home, after, { recursive: true })
    await adding.remove(id)
    // The folder lies elsewhere now: what was made is not trusted, and what was used comes again.
    const again = await addingService({ hub, startHost: forkHost, home: after })
    again.service.resume()
    expect(await again.reached(id)).toMatchObject({ state: "done", error: null })
    expect(await tensorsIn(again.registry.list()[0]?.path ?? "")).toEqual(await quantizedWhole("nf4"))
  })

  it("fails with engine_lost when the engine dies, and goes on from the finished files", async () => {
    const { hub, adding, id } = await midway()
    process.kill(adding.engine.pid ?? 0, "SIGKILL")
    expect(await adding.reached(id)).toMatchObject({ state: "failed", error: { code: "engine_lost" } })
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", error: null })
    expect(asked(hub.requests)[0]).toBe(1)
  })

  it("goes back to the plan and on with another format: what was used comes again", async () => {
    const { hub, adding, id } = await midway()
    const draft = await adding.back(id)
    expect(draft).toMatchObject({ step: "plan", state: "draft" })
    await adding.update(id, { ...draft.options, format: "int8" })
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", error: null })
    expect(asked(hub.requests)[0]).toBe(2)
    expect(adding.registry.list()).toMatchObject([{ format: "int8" }])
    expect(await tensorsIn(adding.registry.list()[0]?.path ?? "")).toEqual(await quantizedWhole("int8"))
  })

  it("is refused changes while it runs, and removed with what it downloaded", async () => {
    const { adding, id } = await midway()
    await expect(adding.update(id, adding.get(id).options)).rejects.toMatchObject({ code: "busy" })
    const { freedBytes } = await adding.remove(id)
    expect(freedBytes).toBeGreaterThan(40_000)
    expect(existsSync(join(adding.paths.downloads, id))).toBe(false)
    expect(adding.service.list()).toEqual([])
    expect(adding.seen.at(-1)).toEqual({ type: "additions", additions: [] })
  })
})

describe("trouble", () => {
  it("of a gated model leads to its page, and goes on when its terms are accepted", async () => {
    const account = { token: "hf_right", name: "someone" }
    const hub = await testHub({ repositories: [{ ...repository, access: "gated" }], account })
    const adding = await addingService({ hub, startHost: new FakeEngine().startHost })
    const { id } = await adding.fromHub("org/tiny-llama", { check: false })
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({
      state: "failed",
      error: { code: "no_permission" },
      helpUrl: `${hub.endpoint}/org/tiny-llama`,
    })
  })

  it("of a model whose files are not shown either", async () => {
    const hub = await testHub({ repositories: [repository] })
    let isOpen = false
    const model = (name: string) => (isOpen ? hubModelOf(hub, name, sharded) : { ...hubModelOf(hub, name, null), files: [] })
    const adding = await addingService({ hub, startHost: new FakeEngine().startHost, model })
    const draft = await adding.fromHub("org/tiny-llama", { check: false })
    expect(draft).toMatchObject({ state: "draft", path: "", files: [], helpUrl: `${hub.endpoint}/org/tiny-llama` })
    await adding.start(draft.id)
    expect(await adding.reached(draft.id)).toMatchObject({ state: "failed", error: { code: "no_permission" }, helpUrl: expect.any(String) })
    isOpen = true
    await adding.start(draft.id)
    const done = await adding.reached(draft.id)
    expect(done).toMatchObject({ state: "done", error: null, helpUrl: null, path: sharded })
    expect(done.files).toHaveLength(8)
  })

  it("of a disk that is too small is told with the numbers, before anything is downloaded", async () => {
    const hub = await testHub({ repositories: [repository] })
    const requireVolumes = async () =>
      Promise.reject(new AppError("no_space", "Adding it needs 9.0 GiB, where 1.0 GiB are free.", "Free 8.0 GiB there."))
    const spacePerVolume = async () => [{ folder: "", needs: [], neededBytes: 9, freeBytes: 1 }]
    const adding = await addingService({ hub, startHost: new FakeEngine().startHost, transfers: { requireVolumes, spacePerVolume } })
    const { id } = await adding.fromHub("org/tiny-llama")
    await adding.start(id)
    const failed = await adding.reached(id)
    expect(failed).toMatchObject({ state: "failed", error: { code: "no_space", message: expect.stringContaining("9.0 GiB") } })
    expect(failed.error?.hint).toMatch(/^Free 8.0 GiB there\. .*Storage/)
    expect(asked(hub.requests)).toEqual([0, 0, 0])
  })

  it("of a bad byte on the way costs one more try", async () => {
    const hub = await testHub({ repositories: [repository] })
    hub.faults.add({ match: shards[1] ?? "", kind: "corrupt", at: 50_000, times: 1 })
    const adding = await addingService({ hub, startHost: forkHost })
    const { id } = await adding.fromHub("org/tiny-llama", { format: "nf4", check: false })
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", error: null })
    expect(await tensorsIn(adding.registry.list()[0]?.path ?? "")).toEqual(await quantizedWhole("nf4"))
  })

  it("of the check is no failure of the addition", async () => {
    const hub = await testHub({ repositories: [repository] })
    const adding = await addingService({ hub, startHost: new FakeEngine().startHost })
    const { id } = await adding.fromHub("org/tiny-llama", { check: true })
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", check: { state: "skipped", reason: "not in the fake engine" } })
  })
})

describe("side by side", () => {
  it("only one quantizer is at work at a time, while others download", async () => {
    const hub = await testHub({ repositories: [repository, { name: "org/other", folder: sharded }] })
    const engine = new FakeEngine()
    const adding = await addingService({ hub, startHost: engine.startHost })
    const release = engine.hold("files.arrived")
    const first = await adding.fromHub("org/tiny-llama", { check: false })
    const second = await adding.fromHub("org/other", { check: false })
    await adding.start(first.id)
    await adding.start(second.id)
    const isHere = (addition: Addition) => shards.every((name) => fileStates(addition)[name] === "verified")
    await adding.reached(first.id, isHere)
    await adding.reached(second.id, isHere)
    await vi.waitFor(() => expect(engine.called("quantize.run")).toHaveLength(2))
    expect(engine.called("files.arrived")).toHaveLength(1)
    const states = () => [first.id, second.id].map((id) => adding.get(id).state).sort()
    await vi.waitFor(() => expect(states()).toEqual(["running", "waiting"]))
    release()
    expect(await adding.reached(first.id)).toMatchObject({ state: "done" })
    expect(await adding.reached(second.id)).toMatchObject({ state: "done" })
  })

  it("where the disk is small, one weight file at a time is here", async () => {
    const hub = await testHub({ repositories: [repository] })
    const spacePerVolume = async () => [{ folder: "", needs: [], neededBytes: 9, freeBytes: 1 }]
    const adding = await addingService({ hub, startHost: forkHost, transfers: { spacePerVolume } })
    const { id } = await adding.fromHub("org/tiny-llama", { format: "nf4", check: false })
    const files = join(adding.paths.downloads, id, "files")
    let most = 0
    const count = () => {
      const here = existsSync(files) ? readdirSync(files).filter((name) => name.startsWith("model-") && !name.endsWith(".json")) : []
      const bytes = here.reduce((sum, name) => sum + (lstatSync(join(files, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0)
      most = Math.max(most, bytes)
    }
    const timer = setInterval(count, 1)
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", error: null })
    clearInterval(timer)
    expect(most).toBeGreaterThan(70_000)
    expect(most).toBeLessThan(120_000)
    expect(await tensorsIn(adding.registry.list()[0]?.path ?? "")).toEqual(await quantizedWhole("nf4"))
  })

  it("a check reads the same files there, and holds each until it is done with it", async () => {
    const hub = await testHub({ repositories: [repository] })
    let asks = 0
    // Too little for everything, enough for what the check holds.
    const spacePerVolume = async () => [{ folder: "", needs: [], neededBytes: 9, freeBytes: asks++ === 0 ? 1 : 10 }]
    const adding = await addingService({ hub, startHost: forkHost, transfers: { spacePerVolume } })
    const { id } = await adding.fromHub("org/tiny-llama", { format: "nf4" })
    await adding.start(id)
    const done = await adding.reached(id)
    expect(done).toMatchObject({ state: "done", error: null, check: { state: "done" } })
    expect(fileStates(done)).toMatchObject(Object.fromEntries(shards.map((name) => [name, "used"])))
  })

  it("a check that holds files for which there is no room is given up, the addition is not", async () => {
    const hub = await testHub({ repositories: [repository] })
    const spacePerVolume = async () => [{ folder: "", needs: [], neededBytes: 9, freeBytes: 1 }]
    const adding = await addingService({ hub, startHost: forkHost, transfers: { spacePerVolume }, checkPatience_ms: 300 })
    const { id } = await adding.fromHub("org/tiny-llama", { format: "nf4" })
    await adding.start(id)
    const done = await adding.reached(id)
    expect(done).toMatchObject({ state: "done", error: null, check: { state: "skipped", reason: expect.stringContaining("no room") } })
    expect(await tensorsIn(adding.registry.list()[0]?.path ?? "")).toEqual(await quantizedWhole("nf4"))
  })
})

it("a check that would have to wait is left out where there is no room for its files", async () => {
  const hub = await testHub({ repositories: [repository, { name: "org/other", folder: sharded }] })
  const spacePerVolume = async () => [{ folder: "", needs: [], neededBytes: 9, freeBytes: 1 }]
  const engine = new FakeEngine()
  const adding = await addingService({ hub, startHost: engine.startHost, transfers: { spacePerVolume } })
  const release = engine.hold("quality.run")
  const first = await adding.fromHub("org/tiny-llama")
  await adding.start(first.id)
  await vi.waitFor(() => expect(engine.called("quality.run")).toHaveLength(1))
  const second = await adding.fromHub("org/other")
  await adding.start(second.id)
  expect(await adding.reached(second.id)).toMatchObject({
    state: "done",
    check: { state: "skipped", reason: expect.stringContaining("Another model was being checked") },
  })
  release()
  expect(await adding.reached(first.id)).toMatchObject({ state: "done", check: { state: "skipped" } })
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
