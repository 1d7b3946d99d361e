// Every architecture in every format: the tiny checkpoints of test/fixtures/architectures through the whole way, against transformers
// (test/golden/architectures). The measured differences are the table of docs/models.md: `NIBBLE_WRITE_DOCS=1` writes it anew.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import type { EngineAddon, NativeModel, NativeQuantizeSpec } from "../../../main/engine/addon-types.ts"
import { architectures } from "../../../main/models/architectures/registry.ts"
import { openModel } from "../../../main/models/open.ts"
import { readSafetensors } from "../../../main/models/safetensors.ts"
import { temporaryFolder, top } from "./made-files.ts"

const folder = temporaryFolder()
const engine = createRequire(import.meta.url)(process.env.NIBBLE_ENGINE ?? join(top, "dist/engine.node")) as EngineAddon
const fixtures = join(top, "test/fixtures/architectures")
const goldenFolder = join(top, "test/golden/architectures")

interface Golden {
  tokens: number[]
  /** Positions whose logits are kept. */
  rows: number[]
  greedy: Record<string, number[]>
  smallest_lead: Record<string, number>
}

const specs: Record<string, NativeQuantizeSpec> = {
  nf4: { format: "nf4", blockSize: 64, isNested: false },
  "nf4-dq": { format: "nf4", blockSize: 64, isNested: true },
  fp4: { format: "fp4", blockSize: 64, isNested: false },
  int8: { format: "int8", blockSize: 64, isNested: false },
}

async function goldenLogits(name: string, format: string): Promise<Float32Array> {
  const file = join(goldenFolder, `${name}.safetensors`)
  const tensor = (await readSafetensors(file)).tensors.find((candidate) => candidate.name === format)
  if (!tensor) throw new Error(`${file} has no ${format}`)
  const { offset, bytes } = tensor.data
  return new Float32Array(new Uint8Array(readFileSync(file).subarray(offset, offset + bytes)).buffer)
}

async function logitsOf(model: NativeModel, { tokens, rows }: Golden): Promise<Float32Array> {
  const path = join(folder, "logits.bin")
  writeFileSync(path, "")
  const { cols } = await model.logits({ tokens, path, offset: 0 }).promise
  const all = new Float32Array(new Uint8Array(readFileSync(path)).buffer)
  return Float32Array.from(rows.flatMap((row) => [...all.subarray(row * cols, (row + 1) * cols)]))
}

/** Largest difference as a share of the largest value. */
function worst(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length)
  const difference = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))), 0)
  return difference / expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

/**
 * The golden arithmetic rounds keys and values to fp16 as the engine does. A last bit of fp32 that differs before can turn such a rounding
 * the other way: a step of 2^-11 in one factor of one score or sum, whose share of a logit is below 1. Two such steps in one
 * run are seen (5.5e-4 on the scalar set); all else is fp32.
 */
const allowed = 2 * 2 ** -11

const measured = new Map<string, Map<string, number>>()
const names = readdirSync(fixtures).sort()

describe.each(names)("%s", (name) => {
  const golden = JSON.parse(readFileSync(join(goldenFolder, `${name}.json`), "utf8")) as Golden
  test.each(Object.keys(golden.greedy))("%s: logits and greedy continuation", async (format) => {
    const { source } = await openModel(join(fixtures, name))
    const quantize = specs[format]
    const context = golden.tokens.length + 16
    // The golden products of int8 are those of the decoded weights; LLM.int8() is compared in test/addon/logits.test.ts.
    const options = { source, context, compute: "f32" as const, isExact: true, threads: 1, backend: "auto", memoryLimitBytes: 0 }
    const model = await engine.loadModel({ ...options, ...(quantize ? { quantize } : {}) }, () => {}).promise
    const expected = await goldenLogits(name, format)
    const difference = worst(await logitsOf(model, golden), expected)
    const row = measured.get(name) ?? new Map<string, number>()
    measured.set(name, row.set(format, difference))
    expect(difference).toBeLessThan(allowed)
    const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 0 }
    const wanted = golden.greedy[format] as number[]
    const made = await model.generate({ tokens: golden.tokens, maxNewTokens: wanted.length, sampling, stopTokens: [] }, () => undefined)
      .promise
    expect(made.tokens).toEqual(wanted)
    model.dispose()
  })
})

const architectureOf = (name: string): string => JSON.parse(readFileSync(join(fixtures, name, "config.json"), "utf8")).architectures[0]

test("every architecture of the registry has a fixture", () => {
  const tested = new Set(names.map(architectureOf))
  expect(architectures.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([])
})

const docs = join(top, "docs/models.md")
const [begin, end] = ["<!-- measured: test/main/models/architectures.test.ts -->", "<!-- end of measured -->"]

/** Columns as wide as their widest cell, as the formatter of this repository wants them. */
function table(): string {
  const formats = ["stored", ...Object.keys(specs)]
  const cell = (value: number | undefined) => (value === undefined ? "–" : value.toExponential(0))
  const rows = names.map((name) => {
    return [`\`${architectureOf(name)}\``, name, ...formats.map((format) => cell(measured.get(name)?.get(format)))]
  })
  const lines = [["Architecture", "Fixture", ...formats], ...rows]
  const widths = (lines[0] as string[]).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const text = (line: string[]) => `| ${line.map((value, i) => value.padEnd(widths[i] as number)).join(" | ")} |`
  return [text(lines[0] as string[]), text(widths.map((width) => "-".repeat(width))), ...lines.slice(1).map(text)].join("\n")
}

test("docs/models.md names every fixture", () => {
  const text = readFileSync(docs, "utf8")
  expect(names.filter((name) => !text.includes(`| ${name} `))).toEqual([])
})

afterAll(() => {
  if (!process.env.NIBBLE_WRITE_DOCS) return
  const text = readFileSync(docs, "utf8")
  const [before, rest = ""] = text.split(begin)
  writeFileSync(docs, `${before}${begin}\n\n${table()}\n\n${end}${rest.split(end)[1] ?? ""}`)
  rmSync(folder, { recursive: true, force: true })
})
