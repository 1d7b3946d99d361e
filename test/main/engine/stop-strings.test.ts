import { expect, test } from "vitest"
import { createStopStrings } from "../../../main/engine/stop-strings.ts"

function run(stops: string[], parts: string[]) {
  const filter = createStopStrings(stops)
  const out = parts.map((part) => filter.push(part))
  return { out, end: filter.isStopped ? "" : filter.end(), isStopped: filter.isStopped }
}

test("text before a stop string passes, the string and what follows do not", () => {
  expect(run(["END"], ["one END two"])).toEqual({ out: ["one "], end: "", isStopped: true })
  expect(run(["END"], ["one E", "N", "D two", "three"])).toEqual({ out: ["one ", "", "", ""], end: "", isStopped: true })
})

test("a beginning that turns out to be none is given back", () => {
  expect(run(["END"], ["one EN", "O", "EN"])).toEqual({ out: ["one ", "ENO", ""], end: "EN", isStopped: false })
  expect(run(["aab"], ["aa", "a", "c"])).toEqual({ out: ["", "a", "aac"], end: "", isStopped: false })
})

test("of several the first in the text counts, and the longest beginning is held", () => {
  expect(run(["two", "one"], ["zero one two"])).toEqual({ out: ["zero "], end: "", isStopped: true })
  expect(run(["\n\n", "\nUser:"], ["text\nUse"])).toEqual({ out: ["text"], end: "\nUse", isStopped: false })
})

test("without stop strings nothing is held", () => {
  expect(run([], ["a", "b"])).toEqual({ out: ["a", "b"], end: "", isStopped: false })
})
