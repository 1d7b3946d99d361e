// Measuring quality: what the report says, of which text, while files arrive, and what is refused.
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import type { z } from "zod"
import { loadAddon } from "../../../main/engine/addon.ts"
import { createArrivals } from "../../../main/engine/arrivals.ts"
import { measureQuality } from "../../../main/engine/quality.ts"
import { tokensWithin } from "../../../main/engine/quality-length.ts"
import { qualityText } from "../../../main/engine/quality-text.ts"
import { cutWindows } from "../../../main/engine/quality-windows.ts"
import { createTokenizer } from "../../../main/engine/tokenizer/tokenizer.ts"
import { openModel } from "../../../main/models/open.ts"
import { type engine as contract, QualityOptions } from "../../../shared/contract/engine.ts"
import { changedModel, models, temporaryFolder, testEngine } from "./fixtures.ts"

type Progress = z.output<(typeof contract)["quality.run"]["event"]>

const folder = temporaryFolder()
const { client } = testEngine()
const llama = join(models, "llama")
let count = 0

function textFile(content: string | Buffer): string {
  const path = join(folder, `text-${count++}.txt`)
  writeFileSync(path, content)
  return path
}

const sentence = "The harbor wakes before the town does. "
const short = textFile(sentence.repeat(12))

async function measure(options: z.input<typeof QualityOptions>, onEvent: (event: Progress) => void = () => {}) {
  const { seconds: _, measuredAt: __, ...report } = await client["quality.run"](options, onEvent)
  return report
}

it("measures formats on the bundled text, side by side with the original", async () => {
  const events: Progress[] = []
  const before = Date.now()
  const wish = { path: llama, formats: ["nf4" as const, "int8" as const, "bf16" as const], maxTokens: 600, window: 200 }
  const report = await client["quality.run"](wish, (event) => void events.push(event))
  expect(report).toMatchObject({ text: "bundled", tokens: 597, window: 200 })
  expect(report.measuredAt).toBeGreaterThanOrEqual(before)
  expect(report.original).toMatchObject({ format: "bf16", klMean: 0, klMax: 0, sameTopToken: 1 })
  const [nf4, int8, same] = report.formats
  expect(report.formats.map(({ format }) => format)).toEqual(["nf4", "int8", "bf16"])
  expect(same).toEqual(report.original)
  expect(nf4?.klMean).toBeGreaterThan(10 * (int8?.klMean ?? 1))
  expect(nf4?.klMax).toBeGreaterThan(nf4?.klMean ?? 1)
  expect(int8?.sameTopToken).toBeGreaterThan(nf4?.sameTopToken ?? 1)
  const fractions = events.map(({ fraction }) => fraction)
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
  expect(events.at(-1)).toEqual({ fraction: 1, item: "" })
  expect(new Set(events.map(({ item }) => item))).toEqual(new Set(["embedding", "layer 1 of 2", "layer 2 of 2", "output", ""]))
})

it("gives a quantized folder the figures of its format, also of weights in another type than config.json wants", async () => {
  const wide = changedModel("llama", folder, { torch_dtype: "float16", dtype: "float16" })
  type Wish = Pick<z.input<typeof QualityOptions>, "blockSize" | "skipModules" | "embeddings">
  const cases: ["nf4-dq" | "fp4", Wish][] = [
    ["nf4-dq", { blockSize: 128, skipModules: ["model.layers.0.mlp", "lm_head"] }],
    ["fp4", { embeddings: "int8" }],
  ]
  for (const [format, rest] of cases) {
    const out = join(folder, `made-${format}`)
    await client["quantize.run"]({ path: wide, out, format, ...rest }, () => {})
    const wish = { path: wide, textFile: short }
    const inMemory = await measure({ ...wish, formats: [format], ...rest })
    expect(await measure({ ...wish, other: out })).toEqual(inMemory)
    const usual = await measure({ ...wish, formats: [format] })
    expect(usual.formats[0]?.klMean).not.toBe(inMemory.formats[0]?.klMean)
  }
})

it("applies formats to the other model where there is one", async () => {
  const other = join(models, "llama-rope-linear")
  const report = await measure({ path: llama, other, formats: ["int8"], textFile: short })
  const alone = await measure({ path: other, formats: ["int8"], textFile: short })
  expect(report.formats[0]?.perplexity).toBe(alone.formats[0]?.perplexity)
  expect(report.formats[0]?.klMean).toBeGreaterThan(0.01)
})

it("begins each window with what begins a text, and predicts each other token once", async () => {
  const { tokenizer: source } = await openModel(join(models, "llama-tied-sharded"))
  if (!source) throw new Error("the fixture has a tokenizer")
  const tokenizer = createTokenizer(source)
  const ids = tokenizer.encode(sentence.repeat(12))
  const windows = cutWindows(tokenizer, sentence.repeat(12), { window: 20, maxTokens: 45 })
  const begin = tokenizer.idOf("<s>")
  expect(windows.map(([first]) => first)).toEqual([begin, begin, begin])
  expect(windows.map(({ length }) => length)).toEqual([20, 20, 8])
  expect(windows.flatMap((window) => window.slice(1))).toEqual(ids.slice(0, 45))
  expect(() => cutWindows(tokenizer, sentence, { window: 1, maxTokens: 0 })).toThrow(/no room/)
  expect(() => cutWindows(tokenizer, "", { window: 20, maxTokens: 0 })).toThrow(/no two tokens/)
})

it("leaves out a last window of one token, and begins with none where the model has none", async () => {
  const { tokenizer: source } = await openModel(llama)
  if (!source) throw new Error("the fixture has a tokenizer")
  const tokenizer = createTokenizer(source)
  const ids = tokenizer.encode(sentence.repeat(4))
  expect(cutWindows(tokenizer, sentence.repeat(4), { window: 10, maxTokens: 21 })).toEqual([ids.slice(0, 10), ids.slice(10, 20)])
})

it("has a text of many kinds, long enough for a stable figure", async () => {
  const { tokenizer } = await openModel(llama)
  if (!tokenizer) throw new Error("the fixture has a tokenizer")
  expect(createTokenizer(tokenizer).encode(qualityText).length).toBeGreaterThan(6000)
  for (const piece of ["def shortest_path", "老张", "Über allen Gipfeln", "The Ferryman's Ledger", "Four score and seven"])
    expect(qualityText).toContain(piece)
  // Prose is not broken where the source text is.
  expect(qualityText).toContain("a flat boat that his uncle had built, and for thirty-one years he wrote down")
})

it("takes as much of a long text as a minute allows, in steps, and all of a short one", async () => {
  expect([1, 60 / 4095, 60 / 4097, 60 / 8191, 60 / 8193, 0].map(tokensWithin)).toEqual([2048, 2048, 4096, 4096, 8192, 65536])
  const report = await measure({ path: llama, textFile: short })
  expect(report.tokens).toBe(275)
  // Two layers of the tiny model are done in no time: all of it is taken.
  const bundled = await measure({ path: llama })
  expect(bundled.tokens).toBe((await measure({ path: llama, maxTokens: 0 })).tokens)
  expect(bundled.tokens).toBeGreaterThan(6000)
})

it("measures while the weights arrive, and says what is needed no more", async () => {
  const path = join(folder, "arriving")
  const away = join(folder, "away")
  cpSync(join(models, "llama-tied-sharded"), path, { recursive: true })
  mkdirSync(away)
  const shard = (number: number) => `model-0000${number}-of-00003.safetensors`
  const whole = await measure({ path, formats: ["nf4"], textFile: short })
  const arrivals = createArrivals()
  const events: Progress[] = []
  const take = (number: number) => renameSync(join(path, shard(number)), join(away, shard(number)))
  const bring = (number: number) => {
    renameSync(join(away, shard(number)), join(path, shard(number)))
    arrivals.announce()
  }
  let isAway = false
  const emit = async (event: Progress) => {
    events.push(event)
    if (!isAway) {
      isAway = true
      for (const number of [1, 2, 3]) take(number)
      setTimeout(() => bring(1))
    } else if (event.item === "layer 1 of 2" && events.at(-2)?.item !== event.item) setTimeout(() => bring(2))
    else if (event.item === "layer 2 of 2" && events.at(-2)?.item !== event.item) setTimeout(() => bring(3))
    else if (event.item === "output" && events.at(-2)?.item !== event.item) rmSync(join(path, shard(2)))
  }
  const options = QualityOptions.parse({ path, formats: ["nf4"], textFile: short, isArriving: true })
  const report = await measureQuality(loadAddon(), arrivals, options, { signal: new AbortController().signal, emit })
  expect(report).toMatchObject({ ...whole, formats: whole.formats })
  const doneAt = (item: string) => events.find((event) => event.item === item)?.filesDone
  expect([doneAt("embedding"), doneAt("layer 2 of 2"), doneAt("output")]).toEqual([[], [], [shard(2)]])
  expect(events.at(-1)?.filesDone?.toSorted()).toEqual([1, 2, 3].map(shard))
})

it("stops when it is asked to: while it computes, and while it waits for a file", async () => {
  const abort = new AbortController()
  const running = client["quality.run"](
    { path: llama, formats: ["nf4"] },
    ({ item }) => (item.startsWith("layer") ? abort.abort() : undefined),
    abort.signal,
  )
  await expect(running).rejects.toMatchObject({ code: "cancelled" })

  const path = join(folder, "never")
  cpSync(join(models, "llama-tied-sharded"), path, { recursive: true })
  const waiting = new AbortController()
  const emit = async () => {
    writeFileSync(join(path, "model-00001-of-00003.safetensors"), "header")
    setTimeout(() => waiting.abort(), 10)
  }
  const options = QualityOptions.parse({ path, textFile: short, isArriving: true })
  await expect(measureQuality(loadAddon(), createArrivals(), options, { signal: waiting.signal, emit })).rejects.toMatchObject({
    code: "cancelled",
  })
})

it.each([
  ["not_found", { textFile: "/nowhere/text.txt" }],
  ["bad_input", { textFile: folder }],
  ["bad_file", { textFile: textFile(Buffer.from([0xff, 0xfe, 0x41, 0x00])) }],
  ["bad_input", { textFile: textFile("") }],
  ["bad_input", { path: join(models, "llama-nf4"), formats: ["int8" as const] }],
  ["bad_input", { formats: ["nf4" as const], skipModules: ["model", "lm_head"] }],
  ["unsupported", { path: join(models, "llama-nf4") }],
  ["bad_input", { other: join(models, "llama-tied-sharded") }],
  ["not_found", { other: join(models, "none") }],
])("answers %s to %o", async (code, change) => {
  await expect(measure({ path: llama, textFile: short, ...change })).rejects.toMatchObject({ code })
})
