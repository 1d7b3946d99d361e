// How good predictions of memory are: loads each model in each format, fills its context, and compares what was predicted with the peak of
// the engine's process. `node bench/memory.ts [--write] [MODEL …]`: the tiny models of every architecture, and the models given; --write
// puts the table into docs/planner.md.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { parseArgs } from "node:util"
import { startEngine } from "../main/engine/client.ts"
import { forkHost } from "../main/engine/fork.ts"
import { inspectModel } from "../main/models/inspect.ts"
import type { ModelMemory } from "../shared/contract/engine.ts"
import { toErrorData } from "../shared/schema/error.ts"
import { QuantizedFormat } from "../shared/schema/format.ts"
import { markdownTable } from "./table.ts"

const top = join(import.meta.dirname, "..")
const fixtures = join(top, "test/fixtures/architectures")
const { values, positionals } = parseArgs({ options: { write: { type: "boolean", default: false } }, allowPositionals: true })
const mib = 2 ** 20

interface Row {
  model: string
  format: string
  context: number
  load: ModelMemory
  chat: ModelMemory
}

async function measure(path: string, format: QuantizedFormat | null, context: number): Promise<Row | null> {
  const engine = startEngine({ spawn: forkHost })
  const { client } = engine
  try {
    const options = { path, context, ...(format ? { quantize: format } : {}) }
    const model = await client["model.load"](options, () => {})
    const load = await client["model.memory"](undefined)
    const tokens = Array.from({ length: context - 4 }, (_, i) => (i * 37) % 64)
    await client["model.generate"]({ prompt: { kind: "tokens", tokens }, sampling: { temperature: 0, maxNewTokens: 4 } }, () => {})
    return {
      model: basename(path).replace(/\.gguf$/, ""),
      format: model.format,
      context,
      load,
      chat: await client["model.memory"](undefined),
    }
  } catch (thrown) {
    // What is quantized already, or cannot be, has one format.
    const { code } = toErrorData(thrown)
    if (format !== null && (code === "bad_input" || code === "unsupported")) return null
    throw thrown
  } finally {
    await engine.close()
  }
}

const errorOf = ({ predictedBytes, peakBytes }: ModelMemory) => peakBytes - predictedBytes
/** Within 5 % or 32 MiB, whichever is more. */
const isGood = (memory: ModelMemory) => Math.abs(errorOf(memory)) <= Math.max(0.05 * memory.predictedBytes, 32 * mib)

function cellsOf({ model, format, context, load, chat }: Row): string[] {
  const figures = (memory: ModelMemory) => {
    const share = (errorOf(memory) / memory.predictedBytes) * 100
    const error = `${share >= 0 ? "+" : "−"}${Math.abs(share).toFixed(1)} %`
    return [(memory.predictedBytes / mib).toFixed(1), (memory.peakBytes / mib).toFixed(1), error]
  }
  return [model, format, String(context), ...figures(load), ...figures(chat)]
}

const rows: Row[] = []
const given = positionals.map((path) => ({ path, contexts: [512, 2048, 8192] }))
const tiny = readdirSync(fixtures).map((name) => ({ path: join(fixtures, name), contexts: [512] }))
for (const { path, contexts } of [...given, ...tiny]) {
  const { context_length: limit } = await inspectModel(path)
  for (const format of [null, ...QuantizedFormat.options]) {
    for (const context of new Set(contexts.map((one) => Math.min(one, limit)))) {
      const row = await measure(path, format, context)
      if (!row) continue
      rows.push(row)
      process.stderr.write(`${cellsOf(row).join("  ")}\n`)
    }
  }
}
const bad = rows.filter(({ load, chat }) => !isGood(load) || !isGood(chat))
const worst = rows.flatMap(({ load, chat }) => [load, chat]).reduce((most, memory) => Math.max(most, Math.abs(errorOf(memory))), 0)
const summary = `${rows.length} loads and full contexts; ${bad.length} beyond 5 % or 32 MiB; the largest error is ${(worst / mib).toFixed(1)} MiB.`
process.stderr.write(`${summary}\n`)
if (values.write) {
  const path = join(top, "docs/planner.md")
  const head = ["model", "format", "context", "load: predicted MiB", "peak", "error", "chat: predicted MiB", "peak", "error"]
  const table = `${summary}\n\n${markdownTable(head, rows.map(cellsOf))}`
  writeFileSync(path, readFileSync(path, "utf8").replace(/(<!-- table -->\n\n)[\s\S]*$/, `$1${table}\n`))
}
process.exitCode = bad.length === 0 ? 0 : 1
