// llama.cpp through node-llama-cpp, in a child process (llama-child.ts).
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { contextTokens, type Round, type Started, type Subject, shortPrompt } from "./subject.ts"

/** What the child is asked for, one after the other. */
export type Question =
  | { kind: "start"; entry: string; model: string; threads: number; contextTokens: number; prompt: number[] }
  | { kind: "round"; promptTokens: number; newTokens: number }
  | { kind: "end" }

export class LlamaSubject implements Subject {
  readonly name: string
  readonly #question: Extract<Question, { kind: "start" }>
  readonly #weightBytesPerToken: number
  #child: ChildProcess | undefined

  /** `weightBytesPerToken`: all tensors are read once per token, the tied embedding as the head. */
  constructor(name: string, options: { entry: string; model: string; threads: number; weightBytesPerToken: number }) {
    const { entry, model, threads } = options
    this.name = name
    this.#question = { kind: "start", entry, model, threads, contextTokens, prompt: shortPrompt }
    this.#weightBytesPerToken = options.weightBytesPerToken
  }

  async start(): Promise<Started> {
    const started = performance.now()
    this.#child = fork(fileURLToPath(new URL("llama-child.ts", import.meta.url)), { execArgv: [] })
    const { loadMs } = await this.#ask<{ loadMs: number }>(this.#question)
    return { loadMs, firstTokenMs: performance.now() - started }
  }

  round(promptTokens: number, newTokens: number): Promise<Round> {
    return this.#ask<Round>({ kind: "round", promptTokens, newTokens })
  }

  weightBytesPerToken(): number {
    return this.#weightBytesPerToken
  }

  async end(): Promise<number> {
    const { peakBytes } = await this.#ask<{ peakBytes: number }>({ kind: "end" })
    this.#child?.kill()
    return peakBytes
  }

  #ask<Answer>(question: Question): Promise<Answer> {
    const child = this.#child
    if (!child) throw new Error(`${this.name} is not running.`)
    return new Promise((resolve, reject) => {
      const lost = (code: number | null) => reject(new Error(`${this.name} ended with code ${code}.`))
      child.once("exit", lost)
      child.once("message", (answer) => {
        child.off("exit", lost)
        resolve(answer as Answer)
      })
      child.send(question)
    })
  }
}
