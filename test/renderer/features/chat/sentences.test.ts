import { describe, expect, test } from "vitest"
import { sentenceEnd, spoken } from "../../../../renderer/features/chat/sentences.ts"

describe("sentences for the screen reader", () => {
  test.each([
    ["Not yet", 0, 0],
    ["One. Tw", 0, 4],
    ["One. Two. Thr", 0, 9],
    ["One. Two. Thr", 4, 9],
    ["It costs 3.14 or", 0, 0],
    ['He said "no." Then', 0, 13],
    ["一。二", 0, 2],
    ["line\nnext", 0, 5],
    ["One.", 0, 0],
  ])("%j from %i ends at %i", (text, from, until) => {
    expect(sentenceEnd(text, from)).toBe(until)
  })

  test("is spoken without the marks of Markdown", () => {
    expect(spoken("## A **bold** `word`\n- one\n> two")).toBe("A bold word one two")
    expect(spoken("2 * 3")).toBe("2 3")
  })
})
