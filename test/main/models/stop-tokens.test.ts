import { expect, test } from "vitest"
import type { TokenizerSource } from "../../../main/models/opened-model.ts"
import { stopTokens } from "../../../main/models/stop-tokens.ts"

const tokenizer: TokenizerSource = {
  json: {
    added_tokens: [
      { id: 5, content: "<|im_end|>", special: true },
      { id: 6, content: "<|eot_id|>", special: true },
      { id: 7, content: "</s>", special: false },
      { id: 8, content: "<|end_of_text|>", special: true },
    ],
    model: { type: "BPE", vocab: { a: 0, "<end>": 9 } },
  },
  config: {},
  chatTemplate: null,
}

test("ids of both configurations, a number or a list", () => {
  expect(stopTokens([{ eos_token_id: [3, 1] }, { eos_token_id: 2 }], null, 10)).toEqual([1, 2, 3])
  expect(stopTokens([null, { eos_token_id: 2 }], null, 10)).toEqual([2])
  expect(stopTokens([{}, { eos_token_id: null }], null, 10)).toEqual([])
})

test("ids that cannot be are left out", () => {
  expect(stopTokens([{ eos_token_id: [-1, 1.5, 10, 9, "3", Number.NaN, 1e300, null] }], null, 10)).toEqual([9])
})

test("the end token of the tokenizer, as text or with its settings, added or of the vocabulary", () => {
  const of = (eos_token: unknown, json = tokenizer.json) => stopTokens([], { ...tokenizer, json, config: { eos_token } }, 10)
  expect(of("<|end_of_text|>")).toEqual([8])
  expect(of({ content: "<|end_of_text|>", lstrip: false })).toEqual([8])
  expect(of("<end>")).toEqual([9])
  expect(of("<none>")).toEqual([])
  expect(of("constructor")).toEqual([])
  expect(of(null)).toEqual([])
  expect(
    of("u", {
      model: {
        type: "Unigram",
        vocab: [
          ["t", 0],
          ["u", -1],
        ],
      },
    }),
  ).toEqual([1])
  expect(of("u", { added_tokens: [null, 1, { content: "u", id: "x" }], model: 7 })).toEqual([])
})

test("the template's end of turn, where the tokenizer has it as a special token", () => {
  const of = (chatTemplate: string) => stopTokens([], { ...tokenizer, chatTemplate }, 10)
  expect(of("{{ '<|im_end|>' }}")).toEqual([5])
  expect(of("<|im_end|> <|eot_id|> <|eom_id|> </s>")).toEqual([5, 6])
  expect(of("nothing")).toEqual([])
})
