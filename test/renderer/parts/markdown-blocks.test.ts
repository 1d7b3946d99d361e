import { describe, expect, test } from "vitest"
import { markdownBlocks } from "../../../renderer/parts/markdown-blocks.ts"

describe("Markdown in blocks", () => {
  test.each([
    ["paragraphs", "One.\n\nTwo.\nStill two.\n\n\nThree.", ["One.\n\n", "Two.\nStill two.\n\n\n", "Three."]],
    ["a fence with blank lines", "Look:\n\n```js\na\n\nb\n```\n\nDone.", ["Look:\n\n", "```js\na\n\nb\n```\n\n", "Done."]],
    ["a fence not closed yet", "```js\na\n\nb", ["```js\na\n\nb"]],
    ["a longer fence around a shorter one", "````md\n```\n\nx\n```\n````\n\nend", ["````md\n```\n\nx\n```\n````\n\n", "end"]],
    ["tildes are no backticks", "~~~\n```\n\nx\n~~~\n\nend", ["~~~\n```\n\nx\n~~~\n\n", "end"]],
    ["a loose list stays whole", "1. a\n\n2. b\n\n   more of b\n\nAfter.", ["1. a\n\n2. b\n\n   more of b\n\n", "After."]],
    [
      "a fence inside a list item",
      "- a\n\n  ```\n  x\n\n  y\n  ```\n- b\n\nAfter.",
      ["- a\n\n  ```\n  x\n\n  y\n  ```\n- b\n\n", "After."],
    ],
    ["indented code goes on over a blank line", "    a\n\n    b\n\nAfter.", ["    a\n\n    b\n\n", "After."]],
    ["a table after text", "Text\n\n| a |\n| - |\n| 1 |\n\nText", ["Text\n\n", "| a |\n| - |\n| 1 |\n\n", "Text"]],
    ["nothing", "", []],
  ])("%s", (_, text, blocks) => {
    expect(markdownBlocks(text)).toEqual(blocks)
  })

  test("a text with link definitions stays whole", () => {
    expect(markdownBlocks("See [a].\n\n[a]: https://example.com")).toEqual(["See [a].\n\n[a]: https://example.com"])
  })

  test("joined, the blocks are the text, however far it has come", () => {
    const text = "# Head\n\nText\n\n- a\n- b\n\n  c\n\n```py\nx = 1\n\ny = 2\n```\n\n> quote\n\n1) one\n\n   two\n\nEnd"
    for (let until = 0; until <= text.length; until++) expect(markdownBlocks(text.slice(0, until)).join("")).toBe(text.slice(0, until))
  })

  test("while a text grows, only its last block changes", () => {
    const text = "First.\n\nSecond:\n\n```py\na\n\nb\n```\n\n| a |\n| - |\n| 1 |\n\nLast one."
    const whole = markdownBlocks(text)
    for (let until = 1; until <= text.length; until++) {
      const blocks = markdownBlocks(text.slice(0, until))
      expect(blocks.slice(0, -1)).toEqual(whole.slice(0, blocks.length - 1))
    }
  })
})
