import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { expect, it, vi } from "vitest"
import { createApp } from "../../main/app.ts"
import { scratchFolder, withoutRoot } from "./scratch.ts"
import { FakeEngine, fixtures } from "./services/fake-engine.ts"
import { runApp, runWithModel } from "./services/running-app.ts"

it("answers every call of the contract and no other", async () => {
  const { app } = await import("../../shared/contract/app.ts")
  const running = await runApp()
  expect(Object.keys(running.app.handlers).sort()).toEqual(Object.keys(app).sort())
})

it("lets one app use a data folder, and the command line beside it", async () => {
  const first = await runWithModel(`${fixtures}llama`)
  const second = createApp({ home: first.home, face: "electron", startHost: new FakeEngine().startHost, version: "0" })
  await expect(second).rejects.toMatchObject({ code: "busy", message: expect.stringContaining(`${first.home} (process ${process.pid})`) })
  const beside = await runApp({ home: first.home, face: "cli" })
  expect(beside.app.services.registry.list()).toHaveLength(1)
  expect(beside.engine.hosts).toBe(0)
  await beside.client["chats.create"]({})
  expect(first.app.services.chats.list()).toHaveLength(1)
})

it("keeps models, chats and settings over a restart", async () => {
  const { client, restart, modelId } = await runWithModel(`${fixtures}llama`)
  const chat = await client["chats.create"]({ system: "Be kind." })
  await client["chat.send"]({ chatId: chat.id, parentId: null, text: "What is the capital of France?" }, () => {})
  const before = await client["chats.get"]({ chatId: chat.id })
  const again = await restart()
  expect(await again.client["chats.get"]({ chatId: chat.id })).toEqual(before)
  const hits = await again.client["chats.search"]({ text: "capital" })
  expect(hits.map(({ messageId }) => messageId).sort()).toEqual(before.messages.map(({ id }) => id).sort())
  expect((await again.client["app.snapshot"](undefined)).models.map(({ id }) => id)).toEqual([modelId])
})

it("cleans up after an app that was killed in the middle of a job", async () => {
  const first = await runWithModel(`${fixtures}llama`)
  first.engine.hold("quantize.run")
  const job = await first.client["models.quantize"]({ modelId: first.modelId, format: "nf4" })
  await vi.waitFor(() => expect(first.engine.called("quantize.run")).toHaveLength(1))
  const [staging] = readdirSync(join(first.home, "models"))
  expect(staging).toBe(`.partial-${job.id}`)
  // The data folder as the killed process leaves it: its files, and the record of a job that runs.
  const home = scratchFolder()
  mkdirSync(join(home, "models", `.partial-${job.id}`, "llama-nf4"), { recursive: true })
  writeFileSync(join(home, "models", `.partial-${job.id}`, "llama-nf4", "model.safetensors"), "half")
  const source = new DatabaseSync(join(first.home, "nibble.db"))
  source.exec(`VACUUM INTO '${join(home, "nibble.db")}'`)
  source.close()

  const second = await runApp({ home })
  expect(readdirSync(join(home, "models"))).toEqual([])
  const { jobs, models } = await second.client["app.snapshot"](undefined)
  expect(jobs.find(({ id }) => id === job.id)).toMatchObject({
    state: "failed",
    error: { code: "cancelled", message: "Nibble was ended while llama was being quantized. What was half-made has been removed." },
  })
  expect(models.map(({ id }) => id)).toEqual([first.modelId])
  await second.client["jobs.dismiss"]({ jobId: job.id })
})

it("keeps its hands off the files of a job that a command line still runs", async () => {
  const home = scratchFolder()
  const commandLine = await runApp({ home, face: "cli" })
  commandLine.engine.hold("quantize.run")
  const { modelId } = await commandLine.ended(await commandLine.client["models.import"]({ path: `${fixtures}llama` }))
  const job = await commandLine.client["models.quantize"]({ modelId: modelId ?? "", format: "nf4" })
  await vi.waitFor(() => expect(commandLine.engine.called("quantize.run")).toHaveLength(1))
  const app = await runApp({ home })
  expect(readdirSync(join(home, "models"))).toEqual([`.partial-${job.id}`])
  expect((await app.client["app.snapshot"](undefined)).jobs.find(({ id }) => id === job.id)).toMatchObject({ state: "running" })
})

it("does not start where nothing can be written, and lets go of the lock where it cannot start", async () => {
  const start = (home: string) => createApp({ home, face: "served", startHost: new FakeEngine().startHost, version: "0", warn: () => {} })
  const locked = scratchFolder()
  chmodSync(locked, 0o555)
  await expect(withoutRoot(() => start(join(locked, "home")))).rejects.toMatchObject({ code: "no_permission" })

  const home = scratchFolder()
  writeFileSync(join(home, "nibble.db"), "no database ".repeat(100))
  await expect(start(home)).rejects.toMatchObject({ code: "bad_file", message: expect.stringContaining(join(home, "nibble.db")) })
  expect(existsSync(join(home, "nibble.lock.json"))).toBe(false)
})

it("ends what runs when it is closed", async () => {
  const { app, engine, client, modelId, home } = await runWithModel(`${fixtures}llama`)
  engine.hold("quantize.run")
  await client["models.quantize"]({ modelId, format: "nf4" })
  await vi.waitFor(() => expect(engine.called("quantize.run")).toHaveLength(1))
  await app.close()
  await app.close()
  expect(readdirSync(join(home, "models"))).toEqual([])
  expect(existsSync(join(home, "nibble.lock.json"))).toBe(false)
})
