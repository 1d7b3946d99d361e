import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { searchMessages } from "../../../main/services/chat-search.ts"
import { createChats } from "../../../main/services/chats.ts"
import { createEvents } from "../../../main/services/events.ts"
import { openDatabase } from "../../../main/storage/database.ts"
import { scratchFolder } from "../scratch.ts"

async function said(...texts: string[]) {
  const database = openDatabase(join(scratchFolder(), "nibble.db"))
  onTestFinished(() => database.close())
  const chats = createChats({ database, events: createEvents() })
  const { id: chatId } = await chats.handlers["chats.create"](
    { system: "" },
    { signal: new AbortController().signal, emit: async () => {} },
  )
  const messages = texts.flatMap((text) => chats.add([{ chatId, parentId: null, role: "user", text, state: "done", model: null }]))
  const find = (text: string) =>
    searchMessages(database, text).map(({ messageId }) => texts[messages.findIndex(({ id }) => id === messageId)])
  return { database, chats, chatId, messages, find }
}

it("finds parts of words, without regard to case and accents, newest first", async () => {
  const { find } = await said("Der Zug nach Köln", "A train to Cologne", "Nothing of that")
  expect(find("koln")).toEqual(["Der Zug nach Köln"])
  expect(find("COLOGN")).toEqual(["A train to Cologne"])
  expect(find("tra ain")).toEqual(["A train to Cologne"])
  expect(find("ing")).toEqual(["Nothing of that"])
  expect(find("th")).toEqual(["Nothing of that"])
  expect(find("a t")).toEqual(["Nothing of that", "A train to Cologne"])
  expect(find("train missing")).toEqual([])
})

it("finds words of languages without spaces, also short ones", async () => {
  const { find } = await said("我们今天去北京大学看看", "東京は晴れです")
  expect(find("北京大")).toEqual(["我们今天去北京大学看看"])
  expect(find("北京")).toEqual(["我们今天去北京大学看看"])
  expect(find("晴")).toEqual(["東京は晴れです"])
})

it("takes every sign as text", async () => {
  const { find } = await said('say "NEAR" (100%) * OR -x', "other")
  for (const text of ['"NEAR"', "100%", "(100", "OR -x", "*", '"', "%)", "_"]) expect(() => find(text)).not.toThrow()
  expect(find('"NEAR"')).toEqual(['say "NEAR" (100%) * OR -x'])
  expect(find("%)")).toEqual(['say "NEAR" (100%) * OR -x'])
  expect(find("_")).toEqual([])
  expect(find("   ")).toEqual([])
})

it("shows the place in a line", async () => {
  const long = `${"before ".repeat(50)}the\nneedle zz here${" after".repeat(50)}`
  const { database, chatId, messages } = await said(long)
  for (const text of ["needle", "zz"]) {
    const [hit] = searchMessages(database, text)
    expect(hit).toMatchObject({ chatId, messageId: messages[0]?.id, title: expect.stringContaining("before") })
    expect(hit?.snippet).toMatch(/^….*the needle zz.*…$/)
    expect(hit?.snippet.length).toBeLessThan(140)
  }
})

it("follows what changes and goes", async () => {
  const { find, chats, messages, chatId } = await said("first", "apple pie")
  chats.saveText(messages[1]?.id ?? "", "cherry pie")
  expect(find("apple")).toEqual([])
  expect(find("cherry")).toEqual(["apple pie"])
  await chats.handlers["chats.remove"]({ chatId }, { signal: new AbortController().signal, emit: async () => {} })
  expect(find("cherry")).toEqual([])
})

it("finds a chat by the name that it was given", async () => {
  const { database, chats, chatId, messages } = await said("apple pie")
  const context = { signal: new AbortController().signal, emit: async () => {} }
  await chats.handlers["chats.update"]({ chatId, title: "Österreich im Winter" }, context)
  expect(searchMessages(database, "winter öst")).toEqual([
    { chatId, title: "Österreich im Winter", messageId: messages[0]?.id, snippet: "apple pie" },
  ])
  await chats.handlers["chats.update"]({ chatId, title: "Apple" }, context)
  expect(searchMessages(database, "apple")).toHaveLength(1)
  expect(searchMessages(database, "winter")).toEqual([])
})
