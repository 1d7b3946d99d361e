import { describe, expect, test, vi } from "vitest"
import { isPressed, keyCaps } from "../../../renderer/lib/commands.ts"

class FakeElement {
  isContentEditable = false
  readonly tagName: string
  constructor(tagName: string) {
    this.tagName = tagName
  }
}
vi.stubGlobal("HTMLElement", FakeElement)

const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
  ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, target: null, ...more }) as KeyboardEvent
const inField = { target: new FakeElement("TEXTAREA") as unknown as EventTarget }

describe("shortcuts", () => {
  test("need exactly their modifiers", () => {
    expect(isPressed(press("k", { ctrlKey: true }), "mod+k")).toBe(true)
    expect(isPressed(press("k"), "mod+k")).toBe(false)
    expect(isPressed(press("K", { ctrlKey: true, shiftKey: true }), "mod+k")).toBe(false)
    expect(isPressed(press("k", { ctrlKey: true, altKey: true }), "mod+k")).toBe(false)
    expect(isPressed(press("F", { ctrlKey: true, shiftKey: true }), "mod+shift+f")).toBe(true)
  })

  test("take signs whether or not the keyboard needs Shift for them", () => {
    expect(isPressed(press("?", { shiftKey: true }), "?")).toBe(true)
    expect(isPressed(press("?"), "?")).toBe(true)
  })

  test("without a modifier leave fields alone, but for Escape", () => {
    expect(isPressed(press("?", inField), "?")).toBe(false)
    expect(isPressed(press("Escape", inField), "escape")).toBe(true)
    expect(isPressed(press("k", { ctrlKey: true, ...inField }), "mod+k")).toBe(true)
  })

  test("are shown one cap a key", () => {
    expect(keyCaps("mod+shift+f")).toEqual(["Ctrl", "Shift", "F"])
    expect(keyCaps("?")).toEqual(["?"])
  })
})
