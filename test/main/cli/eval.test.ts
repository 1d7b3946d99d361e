// nibble eval: the figures of a model, of a format of it, and of a folder against a baseline.
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { models, nibble, scratch } from "./run-cli.ts"

interface Result {
  format: string
  perplexity: number
  tokens: number
  kl_mean?: number
  kl_max?: number
  same_top_token?: number
  text: string
  window: number
  formats?: { format: string; kl_mean: number }[]
  baseline?: { format: string; perplexity: number }
}

const llama = join(models, "llama")
const text = join(scratch, "text.txt")
writeFileSync(text, "The quick brown fox jumps over the lazy dog, and nobody asks why. ".repeat(20))

it("tells the perplexity of a model, and of formats how far they are from it", async () => {
  const out = join(scratch, "nf4")
  const [plain, formats, made] = await Promise.all([
    nibble(["eval", llama, "--text", text, "--json"]),
    nibble(["eval", llama, "--text", "text.txt", "--quantize", "nf4,int8", "--json"]),
    nibble(["quantize", llama, "--out", out, "--format", "nf4"]),
  ])
  expect([plain.code, formats.code, made.code]).toEqual([0, 0, 0])
  const alone = plain.json<Result>()
  expect(alone).toMatchObject({ format: "bf16", window: 256, text: "text.txt" })
  expect(Object.keys(alone)).not.toContain("kl_mean")
  const both = formats.json<Result>()
  expect(both.formats?.map(({ format }) => format)).toEqual(["nf4", "int8"])
  expect(both).toMatchObject({ ...both.formats?.[0], tokens: alone.tokens, baseline: { format: "bf16", perplexity: alone.perplexity } })
  expect(both.kl_mean).toBeGreaterThan(0)
  expect(both.same_top_token).toBeLessThan(1)
  const folder = await nibble(["eval", out, "--baseline", llama, "--text", text, "--json"])
  const { seconds: _, formats: __, ...rest } = folder.json<Result & { seconds: number }>()
  expect(rest).toEqual({ ...both, seconds: undefined, formats: undefined })
}, 30_000)

it("takes the bundled text, a part of it, and windows of another size", async () => {
  const [table, json] = await Promise.all([
    nibble(["eval", llama, "--quantize", "int8", "--max-tokens", "100", "--window", "40"]),
    nibble(["eval", llama, "--max-tokens", "100", "--window", "40", "--json"]),
  ])
  expect(json.json<Result>()).toMatchObject({ tokens: 97, window: 40, text: "bundled" })
  expect(table.out).toMatch(/^97 tokens of the bundled text in windows of 40 · /)
  expect(table.out).toMatch(/^bf16 \(baseline\) +\d+\.\d{3} +0\.0000 +0\.000 +100\.0 %$/m)
  expect(table.out).toMatch(/^int8 +\d+\.\d{3} +0\.\d{4} +0\.\d{3} +\d+\.\d %$/m)
})

it("refuses formats that it does not know, too many, and a text that is not there", async () => {
  const [unknown, many, twice, missing] = await Promise.all([
    nibble(["eval", llama, "--quantize", "nf5"]),
    nibble(["eval", llama, "--quantize", "nf4,fp4,int8,nf4-dq"]),
    nibble(["eval", llama, "--quantize", "nf4,nf4"]),
    nibble(["eval", llama, "--text", "nowhere.txt", "--json"]),
  ])
  expect([unknown.code, many.code, twice.code, missing.code]).toEqual([2, 2, 2, 1])
  expect(unknown.error).toContain("nf5")
  expect(missing.json()).toMatchObject({ error: { code: "not_found" } })
})
