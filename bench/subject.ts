// What the bench measures: a model in a program, in a process of its own that stays for all rounds.

export interface Round {
  prefillTokensPerS: number
  decodeTokensPerS: number
}

export interface Started {
  loadMs: number
  /** From the start of the process to the first token of a short prompt. */
  firstTokenMs: number
}

export interface Subject {
  name: string
  start(): Promise<Started>
  round(promptTokens: number, newTokens: number): Promise<Round>
  weightBytesPerToken(): number | null
  /** Ends the process; the most memory that it held. */
  end(): Promise<number | null>
}

/** Tokens of the prompt that the first token is timed with. */
export const shortPrompt = Array.from({ length: 16 }, (_, i) => 100 + i * 7)
export const contextTokens = 1024
