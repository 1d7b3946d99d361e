import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { createTokenizer } from "../../../../main/engine/tokenizer/tokenizer.ts"
import { type Expected, expectAgreement, expectStreams, families, folder, mixedLines } from "./golden-families.ts"

const withFile = families.filter((family) => family.file !== undefined)

test("every family is here, and the lines are many and mixed", () => {
  expect(withFile.length).toBeGreaterThan(30)
  expect(mixedLines.length).toBe(2400)
  for (const character of ["你", "ש", "م", "😀", "\u0000", "\u0301", "\ufeff", "\u200d"])
    expect(mixedLines.some((line) => line.includes(character))).toBe(true)
})

describe.each(withFile)("$name", (family) => {
  const tokenizer = createTokenizer({ json: JSON.parse(readFileSync(`${folder}/${family.file}`, "utf8")), config: {}, chatTemplate: null })

  test("agrees with Python's tokenizers", () => {
    expectAgreement(tokenizer, family as Expected)
  }, 60_000)

  test("streams what it decodes", () => {
    expectStreams(tokenizer)
  }, 60_000)
})
