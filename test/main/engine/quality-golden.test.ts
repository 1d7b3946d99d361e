// The figures of transformers (in fp32) on the same text and windows: scripts/golden/quality.py.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { QualityFigures } from "../../../shared/schema/quality.ts"
import { models, temporaryFolder, testEngine, top } from "./fixtures.ts"

interface Golden {
  perplexity: number
  kl_mean: number
  kl_max: number
  same_top_token: number
}

const { text, window, models: golden } = JSON.parse(readFileSync(join(top, "test/golden/quality.json"), "utf8"))
const textFile = join(temporaryFolder(), "text.txt")
writeFileSync(textFile, text)
const { client } = testEngine()

/**
 * Keys and values are kept in fp16 here, and a single token may turn on that. In int8 a code may turn on the last bit of an activation, and
 * bitsandbytes rounds sums to fp16: of a divergence so small, that is a part.
 */
const exact = { perplexity: 3e-4, klMean: 3e-4, klMax: 1e-2, sameTopToken: 3e-3 }
const allowances = { original: exact, nf4: exact, "nf4-dq": exact, int8: { ...exact, klMean: 2e-2, klMax: 0.2 } }

test.each(Object.keys(golden))("%s", async (name) => {
  const formats = ["nf4", "nf4-dq", "int8"] as const
  const path = join(models, name)
  const report = await client["quality.run"]({ path, formats: [...formats], textFile, window, compute: "fp32", maxTokens: 0 }, () => {})
  const expected = golden[name] as Record<string, Golden> & { tokens: number }
  expect(report).toMatchObject({ tokens: expected.tokens, window })
  for (const [i, format] of (["original", ...formats] as const).entries()) {
    const { perplexity, klMean, klMax, sameTopToken } = [report.original, ...report.formats][i] as QualityFigures
    const wanted = expected[format] as Golden
    const relative = (value: number, target: number) => (target === 0 ? value : value / target - 1)
    const distances = {
      perplexity: relative(perplexity, wanted.perplexity),
      klMean: relative(klMean, wanted.kl_mean),
      klMax: relative(klMax, wanted.kl_max),
      sameTopToken: sameTopToken - wanted.same_top_token,
    }
    for (const [figure, allowed] of Object.entries(allowances[format]))
      expect(Math.abs(distances[figure as keyof typeof exact]), `${format} ${figure}`).toBeLessThan(allowed)
  }
})
