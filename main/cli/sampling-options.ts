// How the next token is chosen, for generate and chat.
import type { Sampling } from "../../shared/schema/chat.ts"
import type { OptionList, Values } from "./options.ts"

export const samplingOptions = {
  temperature: { type: "number", value: "X", min: 0, max: 5, help: "0: always the most likely token (default 0.7)" },
  "top-k": { type: "integer", value: "N", min: 0, max: 1_000_000, help: "Only the N most likely tokens; 0: off (default 40)" },
  "top-p": { type: "number", value: "P", min: 1e-6, max: 1, help: "Only the most likely tokens that make up P; 1: off (default 0.95)" },
  "min-p": {
    type: "number",
    value: "P",
    min: 0,
    max: 1,
    help: "Only tokens at least P times as likely as the best; 0: off (default 0.05)",
  },
  "repeat-penalty": {
    type: "number",
    value: "X",
    min: 0.1,
    max: 10,
    help: "Make tokens that were there already less likely; 1: off (default 1, in a chat 1.1)",
  },
  seed: { type: "integer", value: "N", min: 0, help: "The same seed gives the same text (default: a new one each time)" },
  "max-new-tokens": { type: "integer", value: "N", min: 1, max: 1_000_000, help: "Length of the reply at most (default 1024)" },
  stop: { type: "texts", value: "TEXT", help: "End the reply before this text; may be given several times" },
} as const satisfies OptionList

/** Only what was given: the contract has the defaults. */
export function samplingOf(values: Values<typeof samplingOptions>): Partial<Sampling> {
  const given = {
    temperature: values.temperature,
    topK: values["top-k"],
    topP: values["top-p"],
    minP: values["min-p"],
    repeatPenalty: values["repeat-penalty"],
    seed: values.seed,
    maxNewTokens: values["max-new-tokens"],
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
