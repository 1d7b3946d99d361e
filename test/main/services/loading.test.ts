import { cpSync, existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { expect, it, vi } from "vitest"
import { AppError } from "../../../shared/schema/error.ts"
import { scratchFolder } from "../scratch.ts"
import { FakeEngine, fixtures } from "./fake-engine.ts"
import { type RunningApp, runApp, runWithModel } from "./running-app.ts"

const loadStates = ({ events }: RunningApp) => events.flatMap((event) => (event.type === "load" ? [event.load.state] : []))

async function twoModels() {
  const running = await runApp()
  const add = async (name: string) =>
    (await running.ended(await running.client["models.import"]({ path: join(fixtures, name) }))).modelId ?? ""
  return { ...running, first: await add("llama"), second: await add("mistral") }
}

it("loads with the settings, tells how far it is, and remembers the model", async () => {
  const running = await twoModels()
  await running.client["settings.update"]({ threads: 2, context: 128 })
  const model = await running.client["models.load"]({ modelId: running.first })
  expect(model).toMatchObject({ id: running.first, name: "llama", context: 128, threads: 2 })
  expect(loadStates(running)).toEqual(["loading", "loading", "ready"])
  const { load, settings } = await running.client["app.snapshot"](undefined)
  expect(load).toEqual({ state: "ready", model })
  expect(settings.lastModelId).toBe(running.first)
  // It was made for 256.
  await running.client["settings.update"]({ context: 512 })
  expect((await running.client["models.load"]({ modelId: running.first })).context).toBe(256)
  await running.client["models.load"]({ modelId: running.second, context: 64 })
  expect(running.engine.called("model.load").at(-1)).toMatchObject({ path: join(fixtures, "mistral"), context: 64 })
  expect(await running.client["models.unload"](undefined)).toEqual({ freedBytes: 100 })
  expect(await running.client["models.unload"](undefined)).toEqual({ freedBytes: 0 })
})

it("multiplies int8 weights as set, and leaves to the model what is not set", async () => {
  const { client, engine, first } = await twoModels()
  const options = async () => {
    await client["models.load"]({ modelId: first })
    return engine.called("model.load").at(-1)
  }
  expect(await options()).toMatchObject({ exact: false })
  expect(await options()).not.toHaveProperty("threshold")
  await client["settings.update"]({ int8Threshold: 0, int8Exact: true })
  expect(await options()).toMatchObject({ threshold: 0, exact: true })
  await client["settings.update"]({ int8Threshold: null })
  expect(await options()).not.toHaveProperty("threshold")
  await expect(client["settings.update"]({ int8Threshold: -1 })).rejects.toMatchObject({ code: "bad_input" })
})

it("loads the model used last when it starts, unless that is not wanted", async () => {
  const running = await runWithModel(`${fixtures}llama`)
  const second = await running.restart()
  await vi.waitFor(async () => expect((await second.client["app.snapshot"](undefined)).load.state).toBe("ready"))
  await second.client["settings.update"]({ loadLastModel: false })
  const engine = new FakeEngine()
  await second.app.close()
  const third = await runApp({ home: running.home, engine })
  expect((await third.client["app.snapshot"](undefined)).load.state).toBe("none")
  expect(engine.called("model.load")).toEqual([])
})

it("says why loading failed, and loads again", async () => {
  const { client, engine, first } = await twoModels()
  engine.failures.set("model.load", new AppError("out_of_memory", "It needs 9 GB, and 4 GB are free.", "Close other programs."))
  await expect(client["models.load"]({ modelId: first })).rejects.toMatchObject({ code: "out_of_memory" })
  expect((await client["app.snapshot"](undefined)).load).toEqual({
    state: "failed",
    modelId: first,
    name: "llama",
    code: "out_of_memory",
    message: "It needs 9 GB, and 4 GB are free.",
    hint: "Close other programs.",
  })
  await client["models.load"]({ modelId: first })
  expect((await client["app.snapshot"](undefined)).load.state).toBe("ready")
})

it("gives up a load that is cancelled, replaced, or ended by unloading", async () => {
  const running = await twoModels()
  const { client, engine, first, second } = running
  const begun = (count: number) => vi.waitFor(() => expect(engine.called("model.load")).toHaveLength(count))
  engine.hold("model.load")
  const stop = new AbortController()
  const cancelled = client["models.load"]({ modelId: first }, stop.signal)
  await begun(1)
  stop.abort()
  await expect(cancelled).rejects.toMatchObject({ code: "cancelled" })
  expect((await client["app.snapshot"](undefined)).load.state).toBe("none")

  const ended = client["models.load"]({ modelId: first })
  const wasEnded = expect(ended).rejects.toMatchObject({ code: "cancelled" })
  await begun(2)
  await client["models.unload"](undefined)
  await wasEnded
  expect((await client["app.snapshot"](undefined)).load.state).toBe("none")

  const release = engine.hold("model.load")
  const replaced = expect(client["models.load"]({ modelId: first })).rejects.toMatchObject({ code: "cancelled" })
  await begun(3)
  const wanted = client["models.load"]({ modelId: second })
  await replaced
  release()
  expect((await wanted).id).toBe(second)
})

it("tells that the engine took the model along, and one call brings it back", async () => {
  const { client, engine, modelId, app } = await runWithModel(`${fixtures}llama`)
  engine.kill()
  const { load } = await client["app.snapshot"](undefined)
  expect(load).toMatchObject({ state: "failed", modelId, name: "llama", code: "engine_lost" })
  expect(() => app.services.loader.ready()).toThrow(expect.objectContaining({ code: "engine_lost" }))
  expect((await client["models.load"]({ modelId })).id).toBe(modelId)
  expect(engine.hosts).toBe(2)
})

it("refuses what is not there any more, by its path", async () => {
  const { client, ended } = await runApp()
  const path = join(scratchFolder(), "mine")
  cpSync(`${fixtures}llama`, path, { recursive: true })
  const { modelId } = await ended(await client["models.import"]({ path }))
  rmSync(path, { recursive: true })
  expect(existsSync(path)).toBe(false)
  const [model] = (await client["app.snapshot"](undefined)).models
  expect(model).toMatchObject({ supported: false, reason: `The files are gone: there is no ${path}.` })
  await expect(client["models.load"]({ modelId: modelId ?? "" })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining(path),
  })
  await expect(client["models.load"]({ modelId: "none" })).rejects.toMatchObject({ code: "not_found" })
})
