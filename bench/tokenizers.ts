// node bench/tokenizers.ts: how fast text becomes tokens and back, for the tiny tokenizer of each family and for a model of one's own,
// beside @huggingface/tokenizers, the package that could do it in our place. Tiny vocabularies merge less: a real one is faster.
//
//   --model FOLDER|FILE.gguf   its tokenizer too (may be repeated)        --rounds 5        --megabytes 1
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Tokenizer as PackageTokenizer } from "@huggingface/tokenizers"
import { createTokenizer } from "../main/engine/tokenizer/tokenizer.ts"
import type { TokenizerSource } from "../main/models/opened-model.ts"
import { surveyModel } from "../main/models/survey.ts"
import { median } from "./statistics.ts"

const golden = join(import.meta.dirname, "../test/golden/tokenizers")
const families = ["gpt2", "llama3", "qwen3", "gpt-oss", "deepseek-v3", "llama2", "gemma", "t5", "bert"]

const { values: options } = parseArgs({
  options: {
    model: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "5" },
    megabytes: { type: "string", default: "1" },
  },
})
const rounds = Number(options.rounds)
const read = (path: string) => JSON.parse(readFileSync(path, "utf8"))

/** English of this repository's documents, with a tenth of mixed lines; paragraphs of about 500 characters, as a chat has them. */
function paragraphs(): string[] {
  const prose = ["README.md", "docs/architecture.md", "CONTRIBUTING.md"].map((name) =>
    readFileSync(join(import.meta.dirname, "..", name), "utf8"),
  )
  const mixed: string[] = read(join(golden, "mixed-lines.json"))
  const text = prose.join("\n")
  const made: string[] = []
  let bytes = 0
  for (let i = 0; bytes < Number(options.megabytes) * 1e6; i++) {
    const start = (i * 467) % (text.length - 500)
    made.push(i % 10 === 9 ? mixed.slice(i % 2300, (i % 2300) + 15).join(" ") : `${text.slice(start, start + 500)} ${i}`)
    bytes += Buffer.byteLength(made.at(-1)!)
  }
  return made
}

const texts = paragraphs()
const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)

/** Megabytes of text each second: the middle of the rounds, each with a tokenizer that has nothing in its cache. */
function speed(make: () => (text: string) => unknown): number {
  const speeds = Array.from({ length: rounds }, () => {
    const work = make()
    const start = performance.now()
    for (const text of texts) work(text)
    return bytes / 1000 / (performance.now() - start)
  })
  return median(speeds)
}

function packageSpeed(source: TokenizerSource): number | null {
  try {
    const make = () => {
      const tokenizer = new PackageTokenizer(source.json as never, source.config as never)
      return (text: string) => tokenizer.encode(text, { add_special_tokens: false } as never)
    }
    return speed(make)
  } catch {
    return null
  }
}

function measure(name: string, source: TokenizerSource): void {
  const encode = speed(() => createTokenizer(source).encode)
  const tokenizer = createTokenizer(source)
  const ids = new Map(texts.map((text) => [text, tokenizer.encode(text)]))
  const decode = speed(() => (text) => tokenizer.decode(ids.get(text)!))
  const beside = packageSpeed(source)
  const tokens = [...ids.values()].reduce((sum, each) => sum + each.length, 0)
  const columns = [name.padEnd(28), (bytes / tokens).toFixed(2), encode.toFixed(1), decode.toFixed(1), beside?.toFixed(1) ?? "fails"]
  console.log(columns.map((column) => column.padStart(9)).join(" "))
}

console.log(["tokenizer".padEnd(28), "bytes/tok", "encode", "decode", "package"].map((column) => column.padStart(9)).join(" "))
for (const name of families) measure(name, { json: read(join(golden, `families/${name}.json`)), config: {}, chatTemplate: null })
for (const path of options.model) {
  const survey = await surveyModel(path)
  const source = survey.tokenizer.load()
  if (source) measure(survey.name, source)
}
