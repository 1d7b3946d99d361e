import { homedir } from "node:os"
import { describe, expect, it } from "vitest"
import { createSystem, withoutPaths } from "../../../main/services/system.ts"
import { AppError } from "../../../shared/schema/error.ts"
import { fixtures } from "./fake-engine.ts"
import { runApp, runWithModel } from "./running-app.ts"

it("gives a page everything at once", async () => {
  const { client, home } = await runApp()
  const { system, engine, ...rest } = await client["app.snapshot"](undefined)
  expect(system).toMatchObject({ version: "0.1.0", face: "served", dataFolder: home, cores: 2, memoryBytes: 8e9, isa: "fake" })
  expect(system.diskFreeBytes).toBeGreaterThan(0)
  expect(engine).toEqual({ state: "ready", reason: null })
  expect(rest).toMatchObject({ load: { state: "none" }, models: [], jobs: [], chats: [], settings: { theme: "system" } })
})

it("does not let a page wait for an engine that does not answer", async () => {
  const { app, engine } = await runApp()
  engine.hold("engine.info")
  const { registry, jobs, chats, settings, loader } = app.services
  const starterOffer = () => ({ name: "", description: "", license: "", source: null, downloadBytes: 0, memoryBytes: 0, parameters: 0 })
  const nothing = {
    additions: () => [],
    hubAccount: () => ({ endpoint: "", token: null, name: null }),
    speed: () => null,
    predictions: () => [],
  }
  const about = { version: "1", face: "served" as const, paths: app.paths, engine: app.engine, registry, jobs, chats, settings }
  const system = createSystem({ ...about, loadState: loader.state, starterOffer, ...nothing, warnings: () => [], engine_ms: 30 })
  const context = { signal: new AbortController().signal, emit: async () => {} }
  const snapshot = await system.handlers["app.snapshot"](undefined, context)
  expect(snapshot.system).toMatchObject({ isa: "", memoryBytes: expect.any(Number) })
})

describe("the text for a bug report", () => {
  it("tells about machine, engine and models, and nothing of the user", async () => {
    const { client, engine, ended, modelId, home } = await runWithModel(`${fixtures}llama`)
    const chat = await client["chats.create"]({})
    await client["chat.send"]({ chatId: chat.id, parentId: null, text: "My secret" }, () => {})
    engine.failures.set("quantize.run", new AppError("bad_file", `${home}/models/x and ${homedir()}/private/y are broken.`))
    await ended(await client["models.quantize"]({ modelId, format: "nf4" }))
    const text = await client["app.diagnostics"](undefined)
    expect(text).toMatch(/^Nibble 0\.1\.0 \(served\), Node 2\d\./)
    expect(text).toContain("instruction set fake, features fake1")
    expect(text).toContain("Self test of cpu: passed")
    expect(text).toContain("Loaded: LlamaForCausalLM, nf4, context 8192")
    expect(text).toContain("Job quantize: bad_file\n")
    for (const secret of [home, homedir(), fixtures, "My secret", "private"]) expect(text).not.toContain(secret)
  })

  it("has no paths of any system", () => {
    const known: [string, string][] = [["/home/ada", "<home>"]]
    expect(withoutPaths("/home/ada/x.gguf is bad", known)).toBe("<home>/x.gguf is bad")
    expect(withoutPaths("There is no /media/ada/disk/model.gguf here", known)).toBe("There is no …/model.gguf here")
    expect(withoutPaths('"C:\\Users\\ada\\model.gguf": bad', known)).toBe('"…/model.gguf": bad')
    expect(withoutPaths("12 GB/s and 3/4", known)).toBe("12 GB/s and 3/4")
  })
})
