import { expect, test } from "vitest"
import { createSkipRule } from "../../../main/engine/skip-modules.ts"

const q = "model.layers.1.self_attn.q_proj"

// As transformers 5.23 answers: should_convert_module(name, [pattern]) is False.
test.each([
  ["lm_head", "lm_head", true],
  ["model.layers.1", q, true],
  ["model.layers.1", "model.layers.11.self_attn.q_proj", false],
  ["model.layers.1.self", q, false],
  ["q_proj", q, true],
  ["_proj", q, true],
  ["self_attn", q, false],
  ["model.layers.\\d", q, true],
  ["model.*mlp", "model.layers.3.mlp.up_proj", true],
  ["model|lm_head", q, true],
  ["layers.1", q, false],
  ["", q, true],
])("%s leaves out %s: %s", (pattern, name, expected) => {
  expect(createSkipRule([pattern])(name)).toBe(expected)
})

test("what is no regular expression is taken literally", () => {
  const isSkipped = createSkipRule(["model.layers.(1", "[", "*up_proj"])
  expect(isSkipped(q)).toBe(false)
  expect(isSkipped("model.layers.(1.x")).toBe(true)
})

test("an empty list leaves out nothing", () => {
  expect(createSkipRule([])("lm_head")).toBe(false)
})
