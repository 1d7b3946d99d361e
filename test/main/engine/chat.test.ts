// Chats through a real host: the model's own template, and conversations that do not fit.
import { join } from "node:path"
import { beforeAll, expect, test } from "vitest"
import type { ChatTurn } from "../../../shared/schema/chat.ts"
import { greedy, models, testEngine } from "./fixtures.ts"

const { client } = testEngine()
const generate = (turns: ChatTurn[], overflow: "drop-oldest" | "stop", maxNewTokens = 8) =>
  client["model.generate"]({ prompt: { kind: "chat", turns, overflow }, sampling: { ...greedy, maxNewTokens } }, () => {})
const count = async (turns: ChatTurn[]) => (await client["model.count"]({ prompt: { kind: "chat", turns } })).tokens

const system: ChatTurn = { role: "system", content: "Be short." }
function conversation(exchanges: number): ChatTurn[] {
  const turns = Array.from({ length: exchanges }, (_, i): ChatTurn[] => [
    { role: "user", content: `Question ${i}?` },
    { role: "assistant", content: `Answer ${i}.` },
  ])
  return [system, ...turns.flat(), { role: "user", content: "And now?" }]
}

beforeAll(async () => {
  const loaded = await client["model.load"]({ path: join(models, "llama-rope-llama3"), compute: "fp32" }, () => {})
  expect(loaded.hasChatTemplate).toBe(true)
})

test("the tokens counted are the tokens used", async () => {
  const turns = conversation(1)
  const result = await generate(turns, "stop")
  expect(result.promptTokens).toBe(await count(turns))
  expect(result.droppedMessages).toBe(0)
  // The next turn goes on where this one ended.
  const next = await generate([...turns, { role: "assistant", content: result.text }, { role: "user", content: "More" }], "stop")
  expect(next.cachedTokens).toBeGreaterThan(result.promptTokens / 2)
})

test("a conversation that does not fit is refused, or loses its oldest exchanges", async () => {
  const { limit } = await client["model.count"]({ prompt: { kind: "chat", turns: [system] } })
  const turns = conversation(limit)
  expect(await count(turns)).toBeGreaterThan(limit)
  await expect(generate(turns, "stop")).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(/conversation has \d+ tokens/),
  })
  const result = await generate(turns, "drop-oldest", 1000)
  expect(result.droppedMessages).toBeGreaterThan(0)
  expect(result.droppedMessages % 2).toBe(0)
  // As few as possible: with one exchange more it would not have left room for a reply.
  const kept = [system, ...turns.slice(1 + result.droppedMessages)]
  expect(kept[1]?.role).toBe("user")
  expect(result.promptTokens).toBe(await count(kept))
  const room = Math.min(256, limit / 2)
  expect(result.promptTokens + room).toBeLessThanOrEqual(limit)
  expect((await count([system, ...turns.slice(result.droppedMessages - 1)])) + room).toBeGreaterThan(limit)
})

test("a last message that alone is too long", async () => {
  const turns: ChatTurn[] = [...conversation(2), { role: "assistant", content: "Yes?" }, { role: "user", content: "very ".repeat(5000) }]
  await expect(generate(turns, "drop-oldest")).rejects.toMatchObject({ code: "bad_input", hint: expect.stringContaining("oldest") })
})
