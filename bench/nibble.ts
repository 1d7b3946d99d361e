// Nibble as the program itself uses it: an engine host, spoken to over its contract.
import { type Engine, startEngine } from "../main/engine/client.ts"
import { forkHost } from "../main/engine/fork.ts"
import { contextTokens, type Round, type Started, type Subject, shortPrompt } from "./subject.ts"

export class NibbleSubject implements Subject {
  readonly name: string
  readonly #path: string
  readonly #threads: number
  #engine: Engine | undefined
  #weightBytesPerToken: number | null = null

  constructor(name: string, path: string, threads: number) {
    this.name = name
    this.#path = path
    this.#threads = threads
  }

  get #client() {
    if (!this.#engine) throw new Error(`${this.name} is not running.`)
    return this.#engine.client
  }

  async start(): Promise<Started> {
    const started = performance.now()
    this.#engine = startEngine({ spawn: forkHost })
    const options = { path: this.#path, context: contextTokens, threads: this.#threads }
    const { loadMs } = await this.#client["model.load"](options, () => {})
    let firstTokenMs = 0
    const prompt = { kind: "tokens" as const, tokens: shortPrompt }
    await this.#client["model.generate"]({ prompt, sampling: { temperature: 0, maxNewTokens: 4 } }, () => {
      firstTokenMs ||= performance.now() - started
    })
    // A first token that is a part of a character shows with a later one.
    return { loadMs, firstTokenMs: firstTokenMs || performance.now() - started }
  }

  async round(promptTokens: number, newTokens: number): Promise<Round> {
    const { prefillMs, decodeMs, weightBytesPerToken } = await this.#client["model.bench"]({ promptTokens, newTokens })
    this.#weightBytesPerToken = weightBytesPerToken
    return { prefillTokensPerS: (promptTokens / prefillMs) * 1000, decodeTokensPerS: (newTokens / decodeMs) * 1000 }
  }

  weightBytesPerToken(): number | null {
    return this.#weightBytesPerToken
  }

  async end(): Promise<number> {
    const { peakResidentBytes } = await this.#client["engine.info"](undefined)
    await this.#engine?.close()
    return peakResidentBytes
  }
}
