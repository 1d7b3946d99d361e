// Ended at any moment, in any way, an addition goes on from what is finished.
import { cpSync, existsSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { forkHost } from "../../../main/engine/fork.ts"
import { scratchFolder } from "../scratch.ts"
import { addingService, testHub } from "../services/adding.ts"
import { asked, fileStates, quantizedWhole, repository, shards, tensorsIn } from "../services/tiny-llama.ts"

process.env.NIBBLE_CHECKED = "1"

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
