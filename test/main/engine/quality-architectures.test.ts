// Every architecture evaluated layer by layer gives what its whole model gives: as it is stored, and in formats, whose numbers must be those of
// a folder that was quantized from it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { loadAddon } from "../../../main/engine/addon.ts"
import { openComparison } from "../../../main/engine/quality-models.ts"
import { runEvaluation } from "../../../main/engine/quality-steps.ts"
import { openModel } from "../../../main/models/open.ts"
import { QualityOptions } from "../../../shared/contract/engine.ts"
import { temporaryFolder, testEngine, top } from "./fixtures.ts"

const folder = temporaryFolder()
const { client } = testEngine()
const addon = loadAddon()
const fixtures = join(top, "test/fixtures/architectures")
const native = { compute: "f32" as const, threads: 1, backend: "auto", memoryLimitBytes: 0 }

async function logits(path: string, windows: number[][], context: number): Promise<Float32Array[]> {
  const { source } = await openModel(path)
  const model = await addon.loadModel({ source, context, ...native }, () => {}).promise
  const out = join(folder, "logits.bin")
  const all: Float32Array[] = []
  for (const tokens of windows) {
    writeFileSync(out, "")
    await model.logits({ tokens, path: out, offset: 0 }).promise
    all.push(new Float32Array(new Uint8Array(readFileSync(out)).buffer))
  }
  model.dispose()
  return all
}

function logSoftmax(row: Float32Array): number[] {
  const largest = row.reduce((most, value) => Math.max(most, value))
  const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0)
  return Array.from(row, (value) => value - largest - Math.log(sum))
}

const topOf = (row: number[]) => row.indexOf(row.reduce((most, value) => Math.max(most, value)))

/** From the logits of the whole models, as the definitions say. */
function figuresOf(windows: number[][], original: Float32Array[], other: Float32Array[]) {
  const tokens = windows.flatMap((window, w) =>
    window.slice(1).map((target, row) => {
      const width = (original[w] as Float32Array).length / window.length
      const [p, q] = [original, other].map((all) => logSoftmax((all[w] as Float32Array).subarray(row * width, (row + 1) * width)))
      if (!p || !q) throw new Error("two rows")
      const kl = p.reduce((sum, value, i) => sum + Math.exp(value) * (value - (q[i] as number)), 0)
      return { loss: -(q[target] as number), kl, isSameTop: topOf(p) === topOf(q) }
    }),
  )
  return {
    perplexity: Math.exp(tokens.reduce((sum, { loss }) => sum + loss, 0) / tokens.length),
    klMean: tokens.reduce((sum, { kl }) => sum + kl, 0) / tokens.length,
    klMax: tokens.reduce((most, { kl }) => Math.max(most, kl), 0),
    sameTopToken: tokens.filter(({ isSameTop }) => isSameTop).length / tokens.length,
  }
}

test.each(readdirSync(fixtures).sort())("%s", async (name) => {
  const path = join(fixtures, name)
  const { decoder } = await openModel(path)
  const { tokens } = JSON.parse(readFileSync(join(top, `test/golden/architectures/${name}.json`), "utf8"))
  const windows: number[][] = [tokens, tokens.slice(3, 9), tokens.toReversed()]
  // MXFP4 is a 4-bit format already.
  const formats = name.endsWith("mxfp4") ? [] : (["nf4-dq", "int8"] as const)
  const experts = decoder.layers.some(({ hasExperts }) => hasExperts) ? { experts: "nf4-dq" as const } : {}
  const { models } = await openComparison(QualityOptions.parse({ path, formats, ...experts }))
  const { figures, positions } = await runEvaluation({
    ...{ addon, signal: new AbortController().signal, emit: async () => {} },
    options: { models: models.map((model) => model.native), windows: windows.map((window) => ({ tokens: window })), ...native },
  })
  expect(positions).toBe(windows.reduce((sum, window) => sum + window.length - 1, 0))
  // A model for long texts does something else where the cache is long.
  const original = await logits(path, windows, tokens.length)
  for (const [i, format] of [undefined, ...formats].entries()) {
    const out = join(folder, `${name}-${format}`)
    if (format) await client["quantize.run"]({ path, out, format, ...experts }, () => {})
    const expected = figuresOf(windows, original, format ? await logits(out, windows, tokens.length) : original)
    // What is left is the difference between two libraries' exp and log in double; one bit of one logit would be 1e-8.
    for (const key of ["perplexity", "klMean", "klMax", "sameTopToken"] as const) {
      const [measured, wanted] = [figures[i]?.[key] as number, expected[key]]
      expect(Math.abs(measured - wanted), `${format} ${key}: ${measured}, expected ${wanted}`).toBeLessThan(1e-12 * Math.max(1, wanted))
    }
    if (format) expect(figures[i]?.klMean).toBeGreaterThan(0)
  }
})
