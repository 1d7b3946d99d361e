import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { createChats, pathTo, titleFrom, turnsOf } from "../../../main/services/chats.ts"
import { createEvents } from "../../../main/services/events.ts"
import { openDatabase } from "../../../main/storage/database.ts"
import { scratchFolder } from "../scratch.ts"

function made() {
  const database = openDatabase(join(scratchFolder(), "nibble.db"))
  onTestFinished(() => database.close())
  let time = 0
  const chats = createChats({ database, events: createEvents(), now: () => ++time })
  const context = { signal: new AbortController().signal, emit: async () => {} }
  const { handlers } = chats
  return {
    database,
    chats,
    create: async (system = "") => handlers["chats.create"]({ system }, context),
    update: async (change: Parameters<(typeof handlers)["chats.update"]>[0]) => handlers["chats.update"](change, context),
    remove: async (chatId: string) => handlers["chats.remove"]({ chatId }, context),
    say: (chatId: string, parentId: string | null, text: string, answer: string) => {
      const user = { chatId, parentId, role: "user" as const, text, state: "done" as const, model: null }
      return chats.add([user, { ...user, role: "assistant", text: answer, model: "tiny · nf4" }])
    },
  }
}

describe("chats", () => {
  it("are a tree of messages with one path shown", async () => {
    const { create, say, chats, update } = made()
    const { id } = await create("Be brief.")
    const [question, answer] = say(id, null, "One", "1")
    const [, second] = say(id, answer?.id ?? "", "Two", "2")
    const [, other] = say(id, answer?.id ?? "", "Two, but other", "2b")
    const chat = chats.get(id)
    expect(chat.messages).toHaveLength(6)
    expect(chat.activeLeafId).toBe(other?.id)
    expect(pathTo(chat, second?.id ?? null).map(({ text }) => text)).toEqual(["One", "1", "Two", "2"])
    expect(question?.parentId).toBeNull()
    expect((await update({ chatId: id, activeLeafId: second?.id })).activeLeafId).toBe(second?.id)
    await expect(update({ chatId: id, activeLeafId: "none" })).rejects.toMatchObject({ code: "bad_input" })
  })

  it("keep title, system prompt, sampling and overflow", async () => {
    const { create, say, chats, update } = made()
    const { id, sampling } = await create()
    expect(chats.get(id)).toMatchObject({ title: "New chat", system: "", overflow: "drop-oldest", sampling: { temperature: 0.7 } })
    say(id, null, "What is\nthis?", "That.")
    expect(chats.get(id).title).toBe("What is")
    const change = { title: "Mine", system: "S", sampling: { ...sampling, topK: 3 }, overflow: "stop" as const }
    expect(await update({ chatId: id, ...change })).toMatchObject(change)
    say(id, null, "Other", "…")
    expect(chats.get(id).title).toBe("Mine")
  })

  it("are listed with the one written to last at first, and are gone when removed", async () => {
    const { create, say, chats, remove } = made()
    const [one, two] = [await create(), await create()]
    say(one.id, null, "Hi", "Ho")
    expect(chats.list().map(({ id }) => id)).toEqual([one.id, two.id])
    await remove(one.id)
    expect(chats.list().map(({ id }) => id)).toEqual([two.id])
    expect(() => chats.get(one.id)).toThrow(expect.objectContaining({ code: "not_found" }))
  })

  it("are shown though a value of them is damaged", async () => {
    const { create, say, chats, database } = made()
    const { id } = await create()
    say(id, null, "Hi", "Ho")
    database.run("UPDATE chats SET sampling = '{', overflow = 'explode'")
    database.run("UPDATE messages SET state = '?', stats = '[]', stop_reason = 'bored', error = '7'")
    expect(chats.get(id)).toMatchObject({ overflow: "drop-oldest", sampling: { topK: 40 } })
    expect(chats.get(id).messages[0]).toMatchObject({ text: "Hi", state: "stopped", stats: null, stopReason: null, error: null })
  })
})

describe("the title", () => {
  it("is the first line that says something", () => {
    expect(titleFrom("\n\n## Hello   there\nmore")).toBe("Hello there")
    expect(titleFrom("---\n> quoted")).toBe("quoted")
    expect(titleFrom("???")).toBe("???")
    expect(titleFrom(" \n ")).toBe("New chat")
  })

  it("ends with a word where there is one, and never within a character", () => {
    expect(titleFrom("word ".repeat(30))).toBe(`${"word ".repeat(12).trim()}…`)
    expect(titleFrom("x".repeat(100))).toBe(`${"x".repeat(60)}…`)
    expect(titleFrom("😀".repeat(100))).toBe(`${"😀".repeat(60)}…`)
  })
})

describe("the turns for a model", () => {
  it("alternate, whatever failed before", () => {
    const messages = [
      { role: "user" as const, text: "One" },
      { role: "assistant" as const, text: "" },
      { role: "user" as const, text: "Two" },
      { role: "assistant" as const, text: "2" },
    ]
    expect(turnsOf("S", messages)).toEqual([
      { role: "system", content: "S" },
      { role: "user", content: "One\n\nTwo" },
      { role: "assistant", content: "2" },
    ])
    expect(turnsOf("  ", messages)[0]?.role).toBe("user")
  })
})
