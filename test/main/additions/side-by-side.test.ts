// Several additions at once, and the download, the quantizer and the check of one on a disk that is small.
import { existsSync, lstatSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, vi } from "vitest"
import { forkHost } from "../../../main/engine/fork.ts"
import type { Addition } from "../../../shared/schema/addition.ts"
import { addingService, testHub } from "../services/adding.ts"
import { FakeEngine } from "../services/fake-engine.ts"
import { fileStates, quantizedWhole, repository, sharded, shards, tensorsIn } from "../services/tiny-llama.ts"

process.env.NIBBLE_CHECKED = "1"

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
