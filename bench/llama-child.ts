// The process in which llama.cpp runs: answers one question after the other.
import { pathToFileURL } from "node:url"
import type { Question } from "./llama.ts"

/** What is used of node-llama-cpp, which is no dependency of the program. */
interface LlamaModule {
  getLlama(options: { gpu: false; build: "never"; maxThreads: number; progressLogs: false; logLevel: "error" }): Promise<Llama>
}
interface Llama {
  loadModel(options: { modelPath: string }): Promise<{
    createContext(options: { contextSize: number; batchSize: number; threads: number }): Promise<{ getSequence(): Sequence }>
  }>
}
interface Sequence {
  clearHistory(): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: number[]): Promise<void>
  evaluate(tokens: number[], options: { temperature: number; yieldEogToken: boolean }): AsyncGenerator<number>
}

let sequence: Sequence

/** Generates until `count` tokens are there; `onToken` is told their number. */
async function generate(tokens: number[], count: number, onToken: (made: number) => void): Promise<void> {
  let made = 0
  for await (const _ of sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true })) {
    onToken(++made)
    if (made >= count) return
  }
}

async function answer(question: Question): Promise<unknown> {
  if (question.kind === "end") return { peakBytes: process.resourceUsage().maxRSS * 1024 }
  if (question.kind === "start") {
    const { entry, model, threads, contextTokens, prompt } = question
    const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule
    const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, progressLogs: false, logLevel: "error" })
    const started = performance.now()
    const loaded = await llama.loadModel({ modelPath: model })
    const context = await loaded.createContext({ contextSize: contextTokens, batchSize: 512, threads })
    const loadMs = performance.now() - started
    sequence = context.getSequence()
    await generate(prompt, 1, () => {})
    return { loadMs }
  }
  const { promptTokens, newTokens } = question
  await sequence.clearHistory()
  // The same ids as model.bench of Nibble takes.
  const tokens = Array.from({ length: promptTokens }, (_, i) => (i * 7919) % 49152)
  const started = performance.now()
  await sequence.evaluateWithoutGeneratingNewTokens(tokens)
  const prefillMs = performance.now() - started
  let first = 0
  // The first token ends the prompt's work, as in model.bench; the others are timed.
  await generate([5], newTokens + 1, (made) => {
    if (made === 1) first = performance.now()
  })
  const decodeMs = performance.now() - first
  return { prefillTokensPerS: (promptTokens / prefillMs) * 1000, decodeTokensPerS: (newTokens / decodeMs) * 1000 }
}

process.on("message", async (question: Question) => process.send?.(await answer(question)))
