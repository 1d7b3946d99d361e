// A slip of the finger finds its word; something else finds nothing.
import { expect, it } from "vitest"
import { nearest } from "../../../main/cli/nearest.ts"

const words = ["--format", "--prompt", "--max-new-tokens", "--min-p", "--quantize"]

it.each([
  ["--fromat", "--format"],
  ["--promt", "--prompt"],
  ["--max-new-token", "--max-new-tokens"],
  ["--max-tokens", "--max-new-tokens"],
  ["--minp", "--min-p"],
  ["--QUANTIZE", "--quantize"],
  ["--quant", "--quantize"],
])("%s means %s", (word, meant) => expect(nearest(word, words)).toBe(meant))

it.each(["--adapter", "-x", "--", "", "z".repeat(1000)])("%s means nothing", (word) => expect(nearest(word, words)).toBeNull())
