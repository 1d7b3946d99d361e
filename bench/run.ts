// npm run bench: speed and memory of every format beside llama.cpp on the same cores, in the same minutes. Every model runs in a process of
// its own, and they take turns round by round, because a shared machine is faster in one minute than in the next.
//
//   --model FILE.gguf   instead of the starter model        --threads 1,2    --rounds 5     --formats nf4,int8
//   --save NAME         keeps the results as bench/baselines/NAME.json
import { spawnSync } from "node:child_process"
import { mkdirSync, statSync, writeFileSync } from "node:fs"
import { availableParallelism, cpus } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startEngine } from "../main/engine/client.ts"
import { forkHost } from "../main/engine/fork.ts"
import { LlamaSubject } from "./llama.ts"
import { plainFolder, q4File, quantizedFolder, quantizedFormats, starterFile } from "./models.ts"
import { NibbleSubject } from "./nibble.ts"
import { changes, type Measurement, type Results, readBaseline } from "./results.ts"
import { median } from "./statistics.ts"
import type { Started, Subject } from "./subject.ts"
import { markdownTable, resultsTable } from "./table.ts"

const top = join(import.meta.dirname, "..")
const folder = join(top, "build/bench")
const promptTokens = 512
const newTokens = 128
const bandwidthBytes = 256 << 20
/** Of the round that is not counted. */
const warmUp = { promptTokens: 128, newTokens: 16 }

const { values: options } = parseArgs({
  options: {
    model: { type: "string" },
    threads: { type: "string", default: [...new Set([1, availableParallelism()])].join(",") },
    rounds: { type: "string", default: "5" },
    formats: { type: "string", default: ["bf16", ...quantizedFormats].join(",") },
    save: { type: "string" },
  },
})
const threadCounts = options.threads.split(",").map(Number)
const rounds = Number(options.rounds)
const formats = options.formats.split(",")
const say = (sentence: string) => console.error(sentence)

const models = join(folder, "models")
mkdirSync(models, { recursive: true })
const gguf = options.model ?? (await starterFile(models, say))
const plain = await plainFolder(gguf, join(models, "bf16"))
const { NIBBLE_LLAMA_CPP: llamaEntry, NIBBLE_LLAMA_CPP_MISSING: llamaMissing } = process.env
const q4 = llamaEntry ? await q4File(gguf, models) : null

const results: Results = {
  commit: spawnSync("git", ["describe", "--always", "--dirty"], { cwd: top, encoding: "utf8" }).stdout?.trim() ?? "",
  date: new Date().toISOString(),
  cpu: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  isa: "",
  model: gguf.slice(gguf.lastIndexOf("/") + 1),
  promptTokens,
  newTokens,
  reference: q4 ? "llama.cpp Q4_0" : null,
  bandwidths: [],
  quantizing: [],
  measurements: [],
}

for (const format of quantizedFormats.filter((one) => formats.includes(one))) {
  for (const threads of threadCounts) {
    say(`Quantizing to ${format} with ${threads} threads`)
    const parametersPerSecond = await quantizedFolder(plain, format, threads, 3, join(models, format))
    results.quantizing.push({ format, threads, parametersPerSecond })
  }
}

const meter = startEngine({ spawn: forkHost })
results.isa = (await meter.client["engine.info"](undefined)).isa
for (const threads of threadCounts) await measure(threads)
await meter.close()

print()
const file = options.save
  ? join(top, "bench/baselines", `${options.save}.json`)
  : join(folder, `${results.date.replaceAll(/[:.]/g, "-")}.json`)
const baseline = readBaseline(join(top, "bench/baselines"), results)
for (const sentence of baseline ? changes(results, baseline) : []) console.log(sentence)
writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
console.log(`\nAll figures: ${file}`)

function subjects(threads: number): Subject[] {
  const list: Subject[] = formats.map((format) => new NibbleSubject(`Nibble ${format}`, join(models, format), threads))
  list.push(new NibbleSubject("Nibble, the GGUF file", gguf, threads))
  if (llamaEntry && q4) {
    for (const [name, model] of [["Q4_0", q4] as const, ["Q4_1", gguf] as const]) {
      // All of the file but its header is read for each token.
      const weightBytesPerToken = statSync(model).size - 1.8e6
      list.push(new LlamaSubject(`llama.cpp ${name}`, { entry: llamaEntry, model, threads, weightBytesPerToken }))
    }
  }
  return list
}

async function measure(threads: number): Promise<void> {
  const bandwidth: number[] = []
  const running: { subject: Subject; started: Started; prefill: number[]; decode: number[] }[] = []
  for (const subject of subjects(threads)) {
    say(`Loading ${subject.name} with ${threads} threads`)
    running.push({ subject, started: await subject.start(), prefill: [], decode: [] })
  }
  say("Warming up")
  for (const { subject } of running) await subject.round(warmUp.promptTokens, warmUp.newTokens)
  for (let round = 1; round <= rounds; round++) {
    say(`Round ${round} of ${rounds}`)
    bandwidth.push(await meter.client["engine.bandwidth"]({ bytes: bandwidthBytes, threads }))
    for (const { subject, prefill, decode } of running) {
      const { prefillTokensPerS, decodeTokensPerS } = await subject.round(promptTokens, newTokens)
      prefill.push(prefillTokensPerS)
      decode.push(decodeTokensPerS)
    }
  }
  results.bandwidths.push({ threads, values: bandwidth })
  for (const { subject, started, prefill, decode } of running) {
    const weightBytesPerToken = subject.weightBytesPerToken()
    const measurement: Measurement = { subject: subject.name, threads, prefill, decode, weightBytesPerToken, ...started, peakBytes: null }
    measurement.peakBytes = await subject.end()
    results.measurements.push(measurement)
  }
}

function print(): void {
  const { cpu, cores, isa, model, reference } = results
  console.log(
    `\n${model} on ${cpu}, ${cores} cores, ${isa}; ${promptTokens} tokens of prompt, ${newTokens} new ones, medians of ${rounds} rounds.`,
  )
  if (reference) console.log(`x: times ${reference} of the same rounds. ${reference} was made from the file; its embedding stays Q8_0.\n`)
  else console.log(`llama.cpp is not compared: ${llamaMissing ?? "NIBBLE_LLAMA_CPP names no entry of node-llama-cpp"}.\n`)
  console.log(resultsTable(results))
  const rows = results.quantizing.map(({ format, threads, parametersPerSecond }) => [
    format,
    String(threads),
    (median(parametersPerSecond) / 1e6).toFixed(0),
  ])
  console.log(`\nQuantizing from bf16 in the page cache\n\n${markdownTable(["format", "threads", "M parameters/s"], rows)}\n`)
}
