import { expect, test } from "vitest"
import { z } from "zod"
import { checked, parseJson, parseJsonObject } from "../../../main/models/json.ts"
import { refusal } from "./made-files.ts"

test("plain JSON comes through", () => {
  const value = { a: [1, { b: 'x"y\\', "": null }], "c:d": { a: 1 }, e: { a: 2 } }
  expect(parseJson(JSON.stringify(value), "x")).toEqual(value)
  expect(parseJson(JSON.stringify(value, null, 2), "x")).toEqual(value)
})

const refused: [text: string, message: RegExp][] = [
  ['{"a": NaN}', /x is not valid JSON/],
  ['{"a": Infinity}', /x is not valid JSON/],
  ['{"a": 1,}', /x is not valid JSON/],
  ['{"a": "', /x is not valid JSON/],
  ["", /x is not valid JSON/],
  ['{"a": 1, "a": 2}', /x gives "a" twice/],
  ['{"a": 1, "\\u0061": 2}', /x gives "a" twice/],
  ['[{"b": {"a\\"": 1, "c": [{"a": 1}], "a\\"": 2}}]', /twice/],
  ["[".repeat(65) + "]".repeat(65), /nested deeper than 64/],
  ["[".repeat(5_000_000), /nested deeper than 64/],
  ['{"a":'.repeat(100_000), /nested deeper than 64/],
]
for (const [text, message] of refused) {
  test(`refused: ${text.slice(0, 40)}`, async () => {
    expect(await refusal(() => parseJson(text, "x"))).toMatchObject({ code: "bad_file", message: expect.stringMatching(message) })
  })
}

test("the same key in two objects is no duplicate, nor is a text that looks like a key", () => {
  expect(parseJson('[{"a": 1}, {"a": 2}, "a", "a", {"b": "a", "a": "b"}]', "x")).toHaveLength(5)
})

test("more keys than any model has are not taken in", async () => {
  const text = `[${'{"a":0},'.repeat(2 ** 21 + 1)}0]`
  expect((await refusal(() => parseJson(text, "x"))).message).toBe("x has more than 2097152 keys.")
})

test("tokenizers may repeat a key", () => {
  expect(parseJson('{"a": 1, "a": 2}', "x", { allowsDuplicates: true })).toEqual({ a: 2 })
})

test("only an object is an object", async () => {
  for (const text of ["[]", "null", "1", '"a"']) {
    expect(await refusal(() => parseJsonObject(text, "x"))).toMatchObject({ code: "bad_file", message: "x is not a JSON object." })
  }
})

test("what a schema refuses is said with the place and the value", async () => {
  const schema = z.object({ a: z.object({ b: z.int().min(1) }) })
  const message = async (value: unknown) => (await refusal(() => checked(schema, value, "x"))).message
  expect(await message({ a: { b: -4 } })).toMatch(/^x: a\.b is -4: /)
  expect(await message({ a: { b: 1.5 } })).toMatch(/^x: a\.b is 1\.5: /)
  expect(await message({ a: {} })).toBe("x lacks a.b.")
  expect(await message(null)).toMatch(/^x: /)
})
