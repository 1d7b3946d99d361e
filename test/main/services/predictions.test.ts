import { join } from "node:path"
import { expect, it, vi } from "vitest"
import { AppError } from "../../../shared/schema/error.ts"
import { FakeEngine, fixtures } from "./fake-engine.ts"
import { runWithModel } from "./running-app.ts"

const llama = join(fixtures, "llama")

async function running(engine = new FakeEngine()) {
  const app = await runWithModel(llama, { engine })
  const kept = async () => (await app.client["app.snapshot"](undefined)).predictions
  const reply = async () => {
    const chat = await app.client["chats.create"]({})
    await app.client["chat.send"]({ chatId: chat.id, parentId: null, text: "Hello" }, () => {})
  }
  await vi.waitFor(async () => expect(await kept()).toHaveLength(1))
  return { ...app, engine, kept, reply }
}

it("keeps what was predicted and measured of each load, and tells it", async () => {
  const { kept, events, modelId } = await running()
  expect(await kept()).toMatchObject([
    { kind: "load", modelId, modelName: "llama", context: 8192, tokens: 0, predictedBytes: 110, peakBytes: 100 },
  ])
  expect(events.filter(({ type }) => type === "predictions")).toHaveLength(1)
})

it("keeps replies that filled the context or needed much more than any before", async () => {
  const { engine, kept, reply } = await running()
  const after = async (tokens: number) => {
    engine.memory = { ...engine.memory, tokens }
    await reply()
  }
  await after(100)
  expect(await kept()).toHaveLength(1)
  await after(1000)
  await vi.waitFor(async () => expect(await kept()).toHaveLength(2))
  await after(1100)
  await after(8000)
  await vi.waitFor(async () =>
    expect((await kept()).map(({ kind, tokens }) => [kind, tokens])).toEqual([
      ["chat", 8000],
      ["chat", 1000],
      ["load", 0],
    ]),
  )
  // The context is full: nothing new can come.
  await after(8100)
  expect(await kept()).toHaveLength(3)
})

it("is not disturbed, and disturbs nothing, when the engine cannot tell; survives a restart", async () => {
  const { engine, kept, reply, warnings, restart } = await running()
  engine.memory = { ...engine.memory, tokens: 5000 }
  engine.failures.set("model.memory", new AppError("internal", "no such file"))
  await reply()
  await vi.waitFor(() => expect(warnings.join()).toMatch(/A prediction of memory was not kept: no such file/))
  expect(await kept()).toHaveLength(1)
  const again = await restart()
  expect((await again.client["app.snapshot"](undefined)).predictions.length).toBeGreaterThanOrEqual(1)
})
