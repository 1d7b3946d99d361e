import { beforeEach, describe, expect, test } from "vitest"
import {
  type ChatPart,
  chat,
  chatForgotten,
  draftChanged,
  groupByAge,
  putMessage,
  replyBegan,
  replyChanged,
  replyEnded,
} from "../../../../renderer/features/chat/state.ts"
import { resetAll } from "../../../../renderer/lib/slice.ts"
import { makeChat, makeMessage } from "./records.ts"

const lost = { code: "engine_lost", message: "The engine was ended by signal 9." } as const
const user = makeMessage("u1", null, "user", { text: "Hello" })
const reply = makeMessage("a1", "u1", "assistant", { state: "streaming" })

const change = (next: (part: ChatPart) => Partial<ChatPart>) => chat.update(next)
const messages = () => chat.get().chats.c1?.messages ?? []

beforeEach(() => {
  resetAll()
  chat.update({ chats: { c1: makeChat([], null) } })
})

describe("a reply", () => {
  test("is awaited, named, grows and ends", () => {
    change((part) => replyBegan(part, "c1"))
    expect(chat.get().replies).toEqual({ c1: { messageId: null } })
    change((part) => replyChanged(part, "c1", { type: "started", user, reply }))
    expect(chat.get().replies.c1).toEqual({ messageId: "a1" })
    expect(chat.get().chats.c1?.activeLeafId).toBe("a1")
    for (const text of ["Good", " day"]) change((part) => replyChanged(part, "c1", { type: "text", messageId: "a1", text, tokens: 1 }))
    expect(messages().map(({ text }) => text)).toEqual(["Hello", "Good day"])
    change((part) => replyEnded(part, "c1", { message: { ...reply, text: "Good day.", state: "done" } }))
    expect(messages()[1]).toMatchObject({ text: "Good day.", state: "done" })
    expect(chat.get().replies).toEqual({})
  })

  test("leaves messages that it does not touch as they are", () => {
    chat.update({ chats: { c1: makeChat([user, reply], "a1") } })
    change((part) => replyChanged(part, "c1", { type: "text", messageId: "a1", text: "x", tokens: 1 }))
    expect(messages()[0]).toBe(user)
    expect(messages()[1]).not.toBe(reply)
  })

  test("keeps its text when the connection breaks while it is written", () => {
    change((part) => replyBegan(part, "c1"))
    change((part) => replyChanged(part, "c1", { type: "started", user, reply }))
    change((part) => replyChanged(part, "c1", { type: "text", messageId: "a1", text: "Half", tokens: 1 }))
    change((part) => replyEnded(part, "c1", { error: lost }))
    expect(messages()[1]).toMatchObject({ text: "Half", state: "failed", error: lost })
    expect(chat.get().failures).toEqual({})
  })

  test("does not overwrite how main said that it ended", () => {
    change((part) => replyBegan(part, "c1"))
    change((part) => replyChanged(part, "c1", { type: "started", user, reply: { ...reply, state: "stopped" } }))
    change((part) => replyEnded(part, "c1", { error: lost }))
    expect(messages()[1]).toMatchObject({ state: "stopped", error: null })
  })

  test("that never began leaves a failure, which the next try clears", () => {
    change((part) => replyBegan(part, "c1"))
    change((part) => replyEnded(part, "c1", { error: lost }))
    expect(chat.get().failures).toEqual({ c1: lost })
    expect(messages()).toEqual([])
    change((part) => replyBegan(part, "c1"))
    expect(chat.get().failures).toEqual({})
  })

  test("of a chat that this page does not hold changes nothing", () => {
    expect(replyChanged(chat.get(), "other", { type: "text", messageId: "a1", text: "x", tokens: 1 })).toEqual({})
  })
})

test("a message replaces the one of its id or is added", () => {
  const record = putMessage(putMessage(makeChat([], null), user), reply)
  expect(putMessage(record, { ...user, text: "Changed" }).messages.map(({ text }) => text)).toEqual(["Changed", ""])
})

test("drafts are kept by chat, that of a new one too", () => {
  change((part) => draftChanged(part, null, "new"))
  change((part) => draftChanged(part, "c1", "old"))
  expect(chat.get().drafts).toEqual({ "": "new", c1: "old" })
})

test("a forgotten chat leaves nothing behind", () => {
  chat.update({ drafts: { c1: "x" }, failures: { c1: lost }, removed: ["c1", "c2"] })
  change((part) => chatForgotten(part, "c1"))
  expect(chat.get()).toMatchObject({ chats: {}, drafts: {}, failures: {}, removed: ["c2"] })
})

describe("the list of chats", () => {
  const now = new Date(2026, 4, 14, 10, 0).getTime()
  const day = (date: number, hour = 12) => new Date(2026, 4, date, hour).getTime()
  const summary = (id: string, updatedAt: number) => ({ id, title: id, createdAt: 0, updatedAt })

  test("is grouped by calendar day, newest first, without empty groups", () => {
    const list = [
      summary("old", day(1)),
      summary("late", day(13, 23)),
      summary("now", day(14, 9)),
      summary("early", day(14, 0)),
      summary("week", day(8)),
    ]
    expect(groupByAge(list, [], now).map(({ age, chats }) => [age, chats.map(({ id }) => id)])).toEqual([
      ["today", ["now", "early"]],
      ["yesterday", ["late"]],
      ["lastWeek", ["week"]],
      ["earlier", ["old"]],
    ])
  })

  test("leaves out what is about to be deleted", () => {
    expect(groupByAge([summary("a", now)], ["a"], now)).toEqual([])
  })
})
