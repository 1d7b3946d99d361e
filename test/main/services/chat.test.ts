import { expect, it, vi } from "vitest"
import type { ChatEvent } from "../../../shared/contract/app.ts"
import { AppError } from "../../../shared/schema/error.ts"
import { fixtures } from "./fake-engine.ts"
import { runApp, runWithModel } from "./running-app.ts"

async function chatting() {
  const running = await runWithModel(`${fixtures}llama`)
  const { client } = running
  const chat = await client["chats.create"]({ system: "Be brief." })
  const events: ChatEvent[] = []
  const send = (text: string, parentId: string | null = null, signal?: AbortSignal) =>
    client["chat.send"]({ chatId: chat.id, parentId, text }, (event) => void events.push(event), signal)
  return { ...running, chatId: chat.id, chatEvents: events, send, read: () => client["chats.get"]({ chatId: chat.id }) }
}

it("streams a reply and keeps it with its figures", async () => {
  const { send, read, chatEvents, engine, events } = await chatting()
  const reply = await send("What is the capital of France?")
  expect(reply).toMatchObject({
    role: "assistant",
    text: "Paris is the capital.",
    state: "done",
    stopReason: "end",
    error: null,
    model: "llama · nf4",
    stats: {
      tokens: 4,
      promptTokens: 7,
      cachedTokens: 2,
      decodeTokensPerS: 50,
      prefillTokensPerS: 100,
      timeToFirstTokenMs: 20,
      seed: 5,
      droppedMessages: 0,
    },
  })
  expect(chatEvents[0]).toMatchObject({
    type: "started",
    user: { text: "What is the capital of France?" },
    reply: { id: reply.id, state: "streaming" },
  })
  expect(
    chatEvents
      .slice(1)
      .map((event) => event.type === "text" && event.text)
      .join(""),
  ).toBe(reply.text)
  const chat = await read()
  expect(chat.messages.map(({ role, state }) => [role, state])).toEqual([
    ["user", "done"],
    ["assistant", "done"],
  ])
  expect(chat.messages[1]).toEqual(reply)
  expect(chat).toMatchObject({ activeLeafId: reply.id, title: "What is the capital of France?" })
  expect(engine.called("model.generate")[0]).toMatchObject({
    prompt: {
      kind: "chat",
      overflow: "drop-oldest",
      turns: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "What is the capital of France?" },
      ],
    },
    sampling: { temperature: 0.7 },
  })
  expect(events.filter(({ type }) => type === "chats").at(-1)).toMatchObject({ chats: [{ title: chat.title, updatedAt: chat.updatedAt }] })
})

it("uses the chat's own sampling and way with a full context", async () => {
  const { client, chatId, send, engine } = await chatting()
  const { sampling } = await client["chats.get"]({ chatId })
  await client["chats.update"]({ chatId, sampling: { ...sampling, temperature: 0, seed: 9 }, overflow: "stop" })
  await send("Hi")
  expect(engine.called("model.generate")[0]).toMatchObject({ prompt: { overflow: "stop" }, sampling: { temperature: 0, seed: 9 } })
})

it("answers again beside the first answer, and with the right history", async () => {
  const { client, chatId, send, read, engine } = await chatting()
  const first = await send("One")
  await send("Two", first.id)
  engine.words = ["Another"]
  const again = await client["chat.regenerate"]({ chatId, messageId: first.id }, () => {})
  expect(again).toMatchObject({ text: "Another", parentId: first.parentId })
  const turns = (engine.called("model.generate").at(-1) as { prompt: { turns: { content: string }[] } }).prompt.turns
  expect(turns.map(({ content }) => content)).toEqual(["Be brief.", "One"])
  // From the user's message it is the same.
  const third = await client["chat.regenerate"]({ chatId, messageId: first.parentId ?? "" }, () => {})
  expect((await read()).messages.filter(({ parentId }) => parentId === first.parentId).map(({ id }) => id)).toEqual([
    first.id,
    again.id,
    third.id,
  ])
  await expect(client["chat.regenerate"]({ chatId, messageId: "none" }, () => {})).rejects.toMatchObject({ code: "not_found" })
})

it("keeps what was written when it is stopped", async () => {
  const { send, read, engine } = await chatting()
  engine.hold("model.generate")
  const stop = new AbortController()
  const reply = send("Tell me all", null, stop.signal)
  await vi.waitFor(() => expect(engine.called("model.generate")).toHaveLength(1))
  stop.abort()
  expect(await reply).toMatchObject({ state: "stopped", stopReason: "cancelled", text: "Paris is the capital." })
  expect((await read()).messages[1]).toMatchObject({ state: "stopped", text: "Paris is the capital." })
})

it("keeps what was written when the engine is killed, and says so", async () => {
  const { client, send, read, engine, modelId } = await chatting()
  engine.hold("model.generate")
  const reply = send("Tell me all")
  await vi.waitFor(() => expect(engine.called("model.generate")).toHaveLength(1))
  engine.kill()
  expect(await reply).toMatchObject({ state: "failed", text: "Paris is the capital.", error: { code: "engine_lost" } })
  expect((await read()).messages[1]).toMatchObject({ state: "failed", text: "Paris is the capital.", error: { code: "engine_lost" } })
  await expect(send("Again")).rejects.toMatchObject({ code: "engine_lost" })
  engine.hold("model.generate")()
  await client["models.load"]({ modelId })
  const failed = (await read()).messages[1]
  expect(await send("Go on", failed?.id)).toMatchObject({ state: "done" })
})

it("keeps what was written when the page goes, and while it is written", async () => {
  const { open, chatId, read, engine, app } = await chatting()
  engine.hold("model.generate")
  const page = open()
  const reply = page.client["chat.send"]({ chatId, parentId: null, text: "Tell me all" }, () => {}).catch(() => {})
  await vi.waitFor(() => expect(engine.called("model.generate")).toHaveLength(1))
  await vi.waitFor(
    async () => expect((await read()).messages[1]).toMatchObject({ state: "streaming", text: "Paris is the capital." }),
    3000,
  )
  page.port.close()
  await reply
  await vi.waitFor(async () => expect((await read()).messages[1]).toMatchObject({ state: "stopped", text: "Paris is the capital." }))
  expect(() => app.services.loader.ready()).not.toThrow()
})

it("keeps what was written when the app is closed or dies", async () => {
  const closed = await chatting()
  closed.engine.hold("model.generate")
  void closed.send("Tell me all").catch(() => {})
  await vi.waitFor(() => expect(closed.engine.called("model.generate")).toHaveLength(1))
  const second = await closed.restart()
  const chat = await second.client["chats.get"]({ chatId: closed.chatId })
  expect(chat.messages.map(({ state, text }) => [state, text])).toEqual([
    ["done", "Tell me all"],
    ["stopped", "Paris is the capital."],
  ])
  // As a process that was killed leaves it.
  const last = chat.messages[1]
  second.app.services.chats.finish({ ...last!, state: "streaming", stopReason: null })
  const third = await second.restart()
  expect((await third.client["chats.get"]({ chatId: closed.chatId })).messages[1]).toMatchObject({
    state: "failed",
    text: "Paris is the capital.",
    error: { message: expect.stringContaining("was ended") },
  })
})

it("writes one reply at a time", async () => {
  const { client, send, engine, modelId, read } = await chatting()
  const release = engine.hold("model.generate")
  const first = send("One")
  await vi.waitFor(() => expect(engine.called("model.generate")).toHaveLength(1))
  await expect(send("Two")).rejects.toMatchObject({ code: "busy", message: expect.stringContaining('"One"') })
  await expect(client["models.load"]({ modelId })).rejects.toMatchObject({ code: "busy" })
  await expect(client["models.unload"](undefined)).rejects.toMatchObject({ code: "busy" })
  await expect(client["models.remove"]({ modelId })).rejects.toMatchObject({ code: "busy" })
  release()
  await first
  expect((await read()).messages).toHaveLength(2)
  expect(await send("Two")).toMatchObject({ state: "done" })
})

it("stops a reply of a chat that is removed", async () => {
  const { client, chatId, send, engine } = await chatting()
  engine.hold("model.generate")
  const reply = send("Tell me all")
  await vi.waitFor(() => expect(engine.called("model.generate")).toHaveLength(1))
  await client["chats.remove"]({ chatId })
  expect(await reply).toMatchObject({ state: "stopped" })
  expect((await client["app.snapshot"](undefined)).chats).toEqual([])
})

it("tells what the engine refuses as the state of the reply", async () => {
  const { send, engine } = await chatting()
  engine.failures.set("model.generate", new AppError("bad_input", "The chat has 9000 tokens, and 8192 fit."))
  expect(await send("Long")).toMatchObject({
    state: "failed",
    error: { code: "bad_input", message: "The chat has 9000 tokens, and 8192 fit." },
  })
})

it("refuses to write without a model, or to what is not in the chat", async () => {
  const { client } = await runApp()
  const { id: chatId } = await client["chats.create"]({})
  await expect(client["chat.send"]({ chatId, parentId: null, text: "Hi" }, () => {})).rejects.toMatchObject({
    code: "not_found",
    message: "No model is loaded.",
  })
  await expect(client["chat.send"]({ chatId: "none", parentId: null, text: "Hi" }, () => {})).rejects.toMatchObject({ code: "not_found" })
  await expect(client["chat.send"]({ chatId, parentId: "none", text: "Hi" }, () => {})).rejects.toMatchObject({ code: "bad_input" })
  expect((await client["chats.get"]({ chatId })).messages).toEqual([])
})

it("counts the chat and the draft with the model's own template", async () => {
  const { client, chatId, send } = await chatting()
  // The fake counts one, two per turn, and the words.
  expect(await client["chat.count"]({ chatId, draft: "" })).toEqual({ chat: 0, draft: 0, limit: 8192 })
  expect(await client["chat.count"]({ chatId, draft: "two words" })).toEqual({ chat: 0, draft: 1 + 2 + 2 + 2 + 2, limit: 8192 })
  await send("Hello there")
  expect(await client["chat.count"]({ chatId, draft: "" })).toEqual({ chat: 1 + 4 + 4 + 6, draft: 0, limit: 8192 })
  expect(await client["chat.count"]({ chatId, draft: "three more words" })).toEqual({ chat: 15, draft: 5, limit: 8192 })
  // A chat that is not made yet.
  expect(await client["chat.count"]({ chatId: null, draft: "" })).toEqual({ chat: 0, draft: 0, limit: 8192 })
  expect(await client["chat.count"]({ chatId: null, draft: "two words" })).toEqual({ chat: 0, draft: 1 + 2 + 2, limit: 8192 })
  const withSystem = await client["chat.count"]({ chatId: null, system: "Be brief now.", draft: "two words" })
  expect(withSystem).toEqual({ chat: 0, draft: 1 + 2 + 3 + 2 + 2, limit: 8192 })
  await client["models.unload"](undefined)
  expect(await client["chat.count"]({ chatId, draft: "x" })).toEqual({ chat: 0, draft: 0, limit: null })
})
