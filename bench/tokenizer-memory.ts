// What a tokenizer takes of the engine's memory: vocabularies made for it, from 1,000 to 256,000 entries, each in a tiny model, loaded by a
// fresh engine of the built program. `node bench/tokenizer-memory.ts` prints the table of docs/planner.md.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { startEngine } from "../main/engine/client.ts"
import { forkHost } from "../main/engine/fork.ts"
import { textBytes } from "../main/engine/script-memory.ts"
import { markdownTable } from "./table.ts"

const top = join(import.meta.dirname, "..")
const fixture = join(top, "test/fixtures/models/llama")
const host = join(top, "dist/main/host.mjs")
const mib = 2 ** 20

/** The same words each time. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Byte pairs as GPT-2 has them: letters, and words that grow from pairs of what is there. */
function tokenizerOf(size: number): object {
  const random = createRandom(1)
  const bytes = Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode((byte > 32 && byte < 127) || (byte > 160 && byte !== 173) ? byte : 256 + byte),
  )
  const vocabulary = new Map(bytes.map((text, id) => [text, id]))
  const words = bytes.filter((text) => /^[a-zĠ]$/.test(text))
  const merges: [string, string][] = []
  while (vocabulary.size < size) {
    const [left = "", right = ""] = [words[random(words.length)], words[random(Math.min(words.length, 2000))]]
    const word = left + right
    if (word.length > 12 || vocabulary.has(word)) continue
    vocabulary.set(word, vocabulary.size)
    merges.push([left, right])
    words.push(word)
  }
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    version: "1.0",
    ...{ truncation: null, padding: null, added_tokens: [], normalizer: null, post_processor: null },
    ...{ pre_tokenizer: byteLevel, decoder: byteLevel },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, vocab: Object.fromEntries(vocabulary), merges },
    },
  }
}

/** The tiny model with an embedding of this many rows, all 0. */
function writeModel(folder: string, size: number): void {
  mkdirSync(folder)
  const config = JSON.parse(readFileSync(join(fixture, "config.json"), "utf8"))
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, vocab_size: size, tie_word_embeddings: true }))
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizerOf(size)))
  const file = readFileSync(join(fixture, "model.safetensors"))
  const end = 8 + Number(file.readBigUInt64LE(0))
  type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] }
  const { __metadata__: _, "lm_head.weight": __, ...tensors } = JSON.parse(file.toString("utf8", 8, end)) as Record<string, Entry>
  let at = 0
  const data: Buffer[] = []
  const header = Object.entries(tensors).map(([name, entry]) => {
    const isEmbedding = name === "model.embed_tokens.weight"
    const bytes = isEmbedding
      ? Buffer.alloc(size * config.hidden_size * 2)
      : file.subarray(...entry.data_offsets.map((offset) => end + offset))
    data.push(bytes)
    const shape = isEmbedding ? [size, config.hidden_size] : entry.shape
    const placed = { dtype: entry.dtype, shape, data_offsets: [at, at + bytes.length] }
    at += bytes.length
    return [name, placed] as const
  })
  const text = JSON.stringify(Object.fromEntries(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  writeFileSync(join(folder, "model.safetensors"), Buffer.concat([length, Buffer.from(text), ...data]))
}

/** Of the process, less what it had before and what the plan says of the model, in MiB: at most, and after a second. */
async function measure(path: string): Promise<{ most: number; kept: number }> {
  const engine = startEngine({ spawn: () => forkHost(host) })
  try {
    const { residentBytes: before } = await engine.client["engine.info"](undefined)
    await engine.client["model.load"]({ path, context: 256 }, () => {})
    const { peakBytes, inUse } = await engine.client["model.memory"](undefined)
    await sleep(1500)
    const { residentBytes } = await engine.client["model.memory"](undefined)
    const { context: _, ...model } = inUse
    const others = before + Object.values(model).reduce((sum, bytes) => sum + bytes, 0)
    return { most: (peakBytes - others) / mib, kept: (residentBytes - others) / mib }
  } finally {
    await engine.close()
  }
}

const scratch = mkdtempSync(join(tmpdir(), "nibble-vocabularies-"))
try {
  const rows: string[][] = []
  for (const size of [1000, 32_000, 49_152, 64_000, 128_000, 256_000]) {
    const folder = join(scratch, String(size))
    writeModel(folder, size)
    const { most, kept } = await measure(folder)
    const fit = textBytes(size)
    const cells = [most, fit.most / mib, kept, fit.kept / mib].map((value) => value.toFixed(0))
    rows.push([size.toLocaleString("en"), ...cells])
  }
  process.stdout.write(`${markdownTable(["entries", "most, MiB", "planned", "kept, MiB", "planned"], rows)}\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
