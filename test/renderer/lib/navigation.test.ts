import { beforeEach, describe, expect, test, vi } from "vitest"
import { formatHash, goTo, navigation, openChat, parseHash, startNavigation } from "../../../renderer/lib/navigation.ts"
import { resetAll } from "../../../renderer/lib/slice.ts"

/** The address and its history, as much as the page uses. */
function makeWindow(hash: string) {
  const stack = [hash]
  const listeners = new Map<string, () => void>()
  const address = {
    get hash() {
      return stack.at(-1) ?? ""
    },
  }
  vi.stubGlobal("location", address)
  vi.stubGlobal("history", { pushState: (_: unknown, __: string, next: string) => stack.push(next) })
  vi.stubGlobal("addEventListener", (name: string, listener: () => void) => listeners.set(name, listener))
  return {
    stack,
    back() {
      stack.pop()
      listeners.get("popstate")?.()
    },
  }
}

beforeEach(resetAll)

describe("the address", () => {
  test.each([
    ["", { place: "chat", chatId: null, adding: null }],
    ["#/chat", { place: "chat", chatId: null, adding: null }],
    ["#/chat/a%2Fb", { place: "chat", chatId: "a/b", adding: null }],
    ["#/models", { place: "models", chatId: null, adding: null }],
    ["#/models/x", { place: "models", chatId: null, adding: null }],
    ["#/models/add", { place: "models", chatId: null, adding: "new" }],
    ["#/models/add/a%20b", { place: "models", chatId: null, adding: "a b" }],
    ["#/memory", { place: "memory", chatId: null, adding: null }],
    ["#/nowhere", { place: "chat", chatId: null, adding: null }],
    ["#/chat/%E0%A4%A", { place: "chat", chatId: null, adding: null }],
  ])("%j leads to %j", (hash, to) => expect(parseHash(hash)).toEqual(to))

  test("says where one is", () => {
    expect(formatHash({ place: "chat", chatId: "a/b", adding: null })).toBe("#/chat/a%2Fb")
    expect(formatHash({ place: "settings", chatId: "a", adding: null })).toBe("#/settings")
    expect(parseHash(formatHash({ place: "chat", chatId: "ü?#", adding: null }))).toEqual({ place: "chat", chatId: "ü?#", adding: null })
  })
})

describe("going places", () => {
  test("is in the history, and the way back leads back", () => {
    const page = makeWindow("")
    startNavigation()
    openChat("c1")
    goTo("models")
    expect(page.stack).toEqual(["", "#/chat/c1", "#/models"])
    expect(navigation.get()).toMatchObject({ place: "models", chatId: "c1", adding: null })
    page.back()
    expect(navigation.get()).toMatchObject({ place: "chat", chatId: "c1", adding: null })
  })

  test("to the chat opens the chat that was open", () => {
    makeWindow("#/chat/c1")
    startNavigation()
    goTo("settings")
    goTo("chat")
    expect(navigation.get()).toMatchObject({ place: "chat", chatId: "c1", adding: null })
  })

  test("to where one is adds nothing to the history", () => {
    const page = makeWindow("#/models")
    startNavigation()
    goTo("models")
    expect(page.stack).toEqual(["#/models"])
  })
})
