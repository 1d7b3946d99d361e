import { describe, expect, test } from "vitest"
import { lastUserMessage, newestLeafBelow, shownPath, versionsOf } from "../../../../renderer/features/chat/tree.ts"
import { makeChat, makeMessage } from "./records.ts"

// u1 - a1 - u2 - a3
//    \    \ u3 - a4
//     a2
const messages = [
  makeMessage("u1", null, "user"),
  makeMessage("a1", "u1", "assistant"),
  makeMessage("a2", "u1", "assistant"),
  makeMessage("u2", "a1", "user"),
  makeMessage("a3", "u2", "assistant"),
  makeMessage("u3", "a1", "user"),
  makeMessage("a4", "u3", "assistant"),
]
const at = (id: string) => messages.find((message) => message.id === id)!
const ids = (list: { id: string }[]) => list.map(({ id }) => id)

describe("the tree of messages", () => {
  test("shows the path from the root to the active leaf", () => {
    expect(ids(shownPath(makeChat(messages, "a4")))).toEqual(["u1", "a1", "u3", "a4"])
    expect(ids(shownPath(makeChat(messages, "a2")))).toEqual(["u1", "a2"])
    expect(shownPath(makeChat([], null))).toEqual([])
  })

  test("shows what it can where a parent is missing", () => {
    expect(ids(shownPath(makeChat([makeMessage("a9", "gone", "assistant")], "a9")))).toEqual(["a9"])
  })

  test("versions are siblings of the same role, oldest first", () => {
    const chat = makeChat(messages, "a4")
    expect(ids(versionsOf(chat, at("a2")))).toEqual(["a1", "a2"])
    expect(ids(versionsOf(chat, at("u3")))).toEqual(["u2", "u3"])
    expect(ids(versionsOf(chat, at("a4")))).toEqual(["a4"])
    expect(ids(versionsOf(chat, at("u1")))).toEqual(["u1"])
  })

  test("choosing a version leads to its newest end", () => {
    const chat = makeChat(messages, "a2")
    expect(newestLeafBelow(chat, "a1")).toBe("a4")
    expect(newestLeafBelow(chat, "u2")).toBe("a3")
    expect(newestLeafBelow(chat, "a2")).toBe("a2")
  })

  test("the last message of the user is the last one shown", () => {
    expect(lastUserMessage(makeChat(messages, "a3"))?.id).toBe("u2")
    expect(lastUserMessage(makeChat(messages, "a2"))?.id).toBe("u1")
    expect(lastUserMessage(makeChat([], null))).toBeUndefined()
  })
})
