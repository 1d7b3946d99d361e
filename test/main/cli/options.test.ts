// Parsing by declaration, with errors that say what to write instead.
import { describe, expect, it } from "vitest"
import { type OptionList, parseOptions, requireOptions } from "../../../main/cli/options.ts"

const list = {
  json: { type: "flag", short: "j", help: "" },
  name: { type: "text", value: "TEXT", help: "" },
  stop: { type: "texts", help: "" },
  skip: { type: "words", help: "" },
  tokens: { type: "ids", help: "" },
  count: { type: "integer", min: 1, max: 10, help: "" },
  ratio: { type: "number", min: 0, help: "" },
  format: { type: "choice", choices: ["nf4", "nf4-dq", "int8"], help: "" },
} as const satisfies OptionList

const parse = (...args: string[]) => parseOptions(list, args)

it("reads each kind, in any order, beside positionals", () => {
  expect(parse("a", "--count", "3", "--ratio=0.5", "-j", "b", "--skip", "x, y,", "--tokens", "1, 2,3", "--format", "nf4-dq")).toEqual({
    values: { json: true, count: 3, ratio: 0.5, skip: ["x", "y"], tokens: [1, 2, 3], format: "nf4-dq", stop: [] },
    positionals: ["a", "b"],
  })
})

it("takes values that begin with a dash, and a lone dash", () => {
  expect(parse("--name", "-1", "--ratio", "0", "-").values).toMatchObject({ name: "-1", ratio: 0 })
  expect(parse("--name=--json").values.name).toBe("--json")
  expect(parse("--name", "").values.name).toBe("")
  expect(parse("--", "--json").positionals).toEqual(["--json"])
})

it("collects an option that may be given several times", () => {
  expect(parse("--stop", "a", "--stop", "b,c").values.stop).toEqual(["a", "b,c"])
})

describe("refuses, and says what would do", () => {
  it.each([
    [["--fromat", "nf4"], "There is no option --fromat.", "Did you mean --format?"],
    [["--zzzzzz"], "There is no option --zzzzzz.", "There are: --json, --name"],
    [["-x"], "There is no option -x.", "There are:"],
    [["--constructor"], "There is no option --constructor.", "There are:"],
    [["--name"], "--name needs a value.", "Write --name TEXT, or --name=VALUE."],
    [["--name", "--json"], "--name needs a value.", "--name=VALUE"],
    [["--json=yes"], '--json takes no value, and was given "yes".', undefined],
    [["--count", "0"], "--count must be from 1 to 10, not 0.", undefined],
    [["--count", "2.5"], '--count needs a whole number, not "2.5".', undefined],
    [["--count", "1e1"], '--count needs a whole number, not "1e1".', undefined],
    [["--count", ""], '--count needs a whole number, not "".', undefined],
    [["--count", "1", "--count", "2"], "--count is given twice.", undefined],
    [["--ratio", "-0.1"], "--ratio must be at least 0, not -0.1.", undefined],
    [["--ratio", "NaN"], '--ratio needs a number, not "NaN".', undefined],
    [["--ratio", "1e999"], '--ratio needs a number, not "1e999".', undefined],
    [["--format", "nf4dq"], '--format cannot be "nf4dq".', "Did you mean nf4-dq? There are: nf4, nf4-dq, int8."],
    [["--tokens", "1,,2"], '--tokens needs token ids like 1,2,3; "" is none.', undefined],
    [["--tokens", "1,-2"], '--tokens needs token ids like 1,2,3; "-2" is none.', undefined],
    [["--tokens", "99999999999"], '"99999999999" is none', undefined],
  ])("%j", (args, message, hint) => {
    let thrown: { message?: string; hint?: string } = {}
    try {
      parse(...args)
    } catch (error) {
      thrown = error as typeof thrown
    }
    expect(thrown.message).toContain(message)
    if (hint === undefined) expect(thrown.hint).toBeUndefined()
    else expect(thrown.hint).toContain(hint)
  })
})

it("asks for what is required", () => {
  const required = { out: { type: "text", value: "DIR", isRequired: true, help: "" } } as const
  expect(() => requireOptions(required, {})).toThrow("--out is missing.")
  expect(() => requireOptions(required, { out: "x" })).not.toThrow()
})
