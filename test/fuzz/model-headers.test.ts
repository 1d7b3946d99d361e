// Seeded mutation of the headers of the fixture models: every outcome is a result or an AppError, quickly and in little memory.
// FUZZ_SECONDS=600 FUZZ_SEED=1 makes a longer run by hand.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import type { EngineAddon } from "../../main/engine/addon-types.ts"
import { openModel } from "../../main/models/open.ts"
import { AppError, type ErrorCode } from "../../shared/schema/error.ts"

const enginePath = process.env.NIBBLE_ENGINE ?? join(import.meta.dirname, "../../dist/engine.node")
const engine = createRequire(import.meta.url)(enginePath) as EngineAddon
const models = join(import.meta.dirname, "../fixtures/models")
const folder = mkdtempSync(join(tmpdir(), "nibble-fuzz-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const seconds = Number(process.env.FUZZ_SECONDS ?? 2)
const firstSeed = Number(process.env.FUZZ_SEED ?? 20240)
const maxMs = 2000
const maxGrowthBytes = 256 << 20
const allowed: ErrorCode[] = ["bad_file", "bad_input", "unsupported", "not_found"]

/** mulberry32: 32 bits of state, good enough to choose bytes. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
type Random = ReturnType<typeof random>

/** Values that readers trip over: signs, limits of integer types, lengths of gigabytes. */
const numbers = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffffffn,
  0xffffffffn,
  1n << 32n,
  1n << 53n,
  1n << 60n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
]
const words = [
  "-1",
  "1e999",
  "1e308",
  "9007199254740993",
  "0.5",
  "null",
  "[]",
  "{}",
  '""',
  "NaN",
  "true",
  "[[[[",
  "}}",
  '"\\ud800"',
  '"__proto__"',
  "../",
  "\0",
]

const at = (text: string, next: Random) => next(text.length + 1)
const textMutations: ((text: string, next: Random) => string)[] = [
  (text, next) => replaced(text, at(text, next), 1, String.fromCharCode(next(256))),
  (text, next) => replaced(text, at(text, next), next(40), ""),
  (text, next) => text.slice(0, at(text, next)),
  (text, next) => replaced(text, at(text, next), 0, text.slice(at(text, next)).slice(0, next(200))),
  (text, next) => changedMatch(text, /-?\d+(\.\d+)?/g, next),
  (text, next) => changedMatch(text, /"[^"]*"(?!:)/g, next),
  (text, next) => changedMatch(text, /\[[^[\]]*\]/g, next),
]

function replaced(text: string, start: number, length: number, put: string): string {
  return text.slice(0, start) + put + text.slice(start + length)
}

/** One place that the pattern finds becomes one of the words. */
function changedMatch(text: string, pattern: RegExp, next: Random): string {
  const found = [...text.matchAll(pattern)]
  const match = found[next(Math.max(1, found.length))]
  return match ? replaced(text, match.index, match[0].length, words[next(words.length)] as string) : text
}

function mutateText(text: string, next: Random): string {
  let result = text
  for (let i = 1 + next(3); i > 0; i--) result = (textMutations[next(textMutations.length)] as (typeof textMutations)[number])(result, next)
  return result
}

/** Only the first `headerBytes`: what lies behind them is not read. */
function mutateBytes(bytes: Buffer, headerBytes: number, next: Random): Buffer {
  const result = Buffer.from(bytes)
  for (let i = 1 + next(4); i > 0; i--) {
    const place = next(headerBytes)
    const kind = next(4)
    if (kind === 0) result[place] = next(256)
    else if (kind === 1) result[place] = (result[place] ?? 0) ^ (1 << next(8))
    else if (place + 8 <= result.length) result.writeBigUInt64LE(numbers[next(numbers.length)] as bigint, place)
  }
  return next(8) === 0 ? result.subarray(0, next(result.length)) : result
}

/** The header is changed as text; the length before it says what it then has, mostly. */
function mutateSafetensors(bytes: Buffer, next: Random): Buffer {
  const headerBytes = Number(bytes.readBigUInt64LE())
  if (next(4) === 0) return mutateBytes(bytes, 8 + headerBytes, next)
  const header = Buffer.from(mutateText(bytes.toString("latin1", 8, 8 + headerBytes), next), "latin1")
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(next(20) === 0 ? (numbers[next(numbers.length)] as bigint) : BigInt(header.length))
  return Buffer.concat([length, header, bytes.subarray(8 + headerBytes)])
}

/** A fixture as names and contents, read once. */
function contents(path: string): Map<string, Buffer> {
  return new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name))]))
}

const folders = readdirSync(models)
  .filter((name) => name !== "gguf")
  .map((name) => ({ name, files: contents(join(models, name)) }))
const ggufs = [...contents(join(models, "gguf"))]

/** Writes a spoiled model; the path to open. */
function spoiledModel(next: Random): string {
  if (next(3) === 0) {
    const [, bytes] = ggufs[next(ggufs.length)] as [string, Buffer]
    const path = join(folder, "model.gguf")
    writeFileSync(path, mutateBytes(bytes, Math.min(bytes.length, next(2) === 0 ? 2000 : 12_000), next))
    return path
  }
  const { files } = folders[next(folders.length)] as (typeof folders)[number]
  const path = join(folder, "model")
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path)
  const spoiled = [...files.keys()][next(files.size)]
  for (const [name, bytes] of files) {
    const isWeights = name.endsWith(".safetensors")
    const text = () => Buffer.from(mutateText(bytes.toString("latin1"), next), "latin1")
    writeFileSync(join(path, name), name !== spoiled ? bytes : isWeights ? mutateSafetensors(bytes, next) : text())
  }
  return path
}

async function outcomeOf(path: string): Promise<unknown> {
  try {
    const { source } = await openModel(path)
    // What the readers let pass, the engine must be able to plan.
    engine.plan({ source, context: 1, compute: "f32", threads: 1, backend: "auto", memoryLimitBytes: 0 })
    return "opened"
  } catch (thrown) {
    return thrown
  }
}

test("spoiled models are opened or refused with a code", { timeout: (seconds + 60) * 1000 }, async () => {
  const end = performance.now() + seconds * 1000
  const counts: Record<string, number> = {}
  const before = process.memoryUsage().rss
  for (let seed = firstSeed; performance.now() < end; seed++) {
    const path = spoiledModel(random(seed))
    const start = performance.now()
    const outcome = await outcomeOf(path)
    const isExpected = outcome === "opened" || (outcome instanceof AppError && allowed.includes(outcome.code))
    if (!isExpected) throw new Error(`FUZZ_SEED=${seed}: ${outcome instanceof Error ? outcome.stack : outcome}`, { cause: outcome })
    expect(performance.now() - start, `FUZZ_SEED=${seed}`).toBeLessThan(maxMs)
    expect(process.memoryUsage().rss - before, `FUZZ_SEED=${seed}`).toBeLessThan(maxGrowthBytes)
    const kind = outcome instanceof AppError ? outcome.code : "opened"
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  // A run in which nothing was refused, or nothing opened, has tested nothing.
  expect(counts.bad_file).toBeGreaterThan(10)
  expect(counts.opened).toBeGreaterThan(0)
})
