// nibble generate: one completion, as it comes.
import { text as readAll } from "node:stream/consumers"
import type { GenerateResult } from "../../shared/contract/engine.ts"
import type { LoadedModel } from "../../shared/schema/model.ts"
import { type CommandContext, defineCommand } from "./command.ts"
import { contextOption, loadOptions } from "./load-options.ts"
import { rate } from "./quantities.ts"
import { samplingOf, samplingOptions } from "./sampling-options.ts"
import { UsageError } from "./usage-error.ts"
import { type EngineClient, withModel } from "./with-engine.ts"

interface PromptValues {
  prompt: string | undefined
  chat: string | undefined
  tokens: number[] | undefined
  system: string | undefined
}

type Prompt = Parameters<EngineClient["model.generate"]>[0]["prompt"]

export const generate = defineCommand({
  name: "generate",
  summary: "Complete a text, or answer one question",
  positionals: ["MODEL"],
  options: {
    prompt: { type: "text", value: "TEXT", help: "Text to go on with (-: from standard input)" },
    chat: { type: "text", value: "TEXT", help: "A question, in the model's chat template (-: from standard input)" },
    tokens: { type: "ids", value: "1,2,3", help: "A prompt of token ids" },
    system: { type: "text", value: "TEXT", help: "System prompt, with --chat" },
    ...samplingOptions,
    ...contextOption,
    ...loadOptions,
  },
  examples: [
    'generate SmolLM2-135M-Instruct-nf4-dq --chat "What is the capital of France?" --temperature 0',
    'generate ./SmolLM2-135M-Instruct --quantize nf4-dq --prompt "Once upon a time" --max-new-tokens 50 --seed 7',
    "generate model.gguf --tokens 1,2,3 --json",
  ],
  notes: ["MODEL is a folder, a GGUF file, or the name of an installed model."],
  async run(values, [reference = ""], context) {
    const prompt = await promptOf(values)
    return withModel(reference, values, context, async (client, model) => {
      const { output, signal } = context
      const options = { prompt, sampling: samplingOf(values), stop: values.stop }
      const result = await client["model.generate"](options, ({ text }) => output.write(text), signal)
      output.line()
      return finish(result, model, context)
    })
  },
})

async function finish(result: GenerateResult, model: LoadedModel, { output }: CommandContext): Promise<object> {
  if (result.stopReason === "cancelled") {
    const { AppError } = await import("../../shared/schema/error.ts")
    throw new AppError("cancelled", "cancelled")
  }
  if (result.stopReason === "context_full") output.say(`The context of ${model.context} tokens is full. --context N makes it longer.`)
  output.say(figures(result))
  return {
    text: result.text,
    tokens: result.tokens,
    stop_reason: result.stopReason,
    prompt_tokens: result.promptTokens,
    prefill_tokens_per_s: result.prefillTokensPerS,
    decode_tokens_per_s: result.decodeTokensPerS,
    time_to_first_token_ms: result.timeToFirstTokenMs,
    seed: result.seed,
    load_ms: model.loadMs,
    format: model.format,
    compute_dtype: model.compute,
    context: model.context,
    isa: model.isa,
    threads: model.threads,
  }
}

export function figures({ tokens, decodeTokensPerS, timeToFirstTokenMs, seed }: GenerateResult): string {
  const speed = decodeTokensPerS > 0 ? ` · ${rate(decodeTokensPerS)} tokens/s` : ""
  return `${tokens.length} ${tokens.length === 1 ? "token" : "tokens"}${speed} · first after ${Math.round(timeToFirstTokenMs)} ms · seed ${seed}`
}

async function promptOf({ prompt, chat, tokens, system }: PromptValues): Promise<Prompt> {
  if ([prompt, chat, tokens].filter((one) => one !== undefined).length !== 1)
    throw new UsageError("Give one of --prompt, --chat and --tokens.", 'For a question: --chat "What is the capital of France?"')
  if (system !== undefined && chat === undefined) throw new UsageError("--system goes with --chat only.")
  if (tokens) return { kind: "tokens", tokens }
  if (prompt !== undefined) return { kind: "text", text: await orStandardInput(prompt) }
  const turns = [{ role: "user" as const, content: await orStandardInput(chat ?? "") }]
  return { kind: "chat", turns: system === undefined ? turns : [{ role: "system" as const, content: system }, ...turns] }
}

async function orStandardInput(text: string): Promise<string> {
  return text === "-" ? (await readAll(process.stdin)).replace(/\r?\n$/, "") : text
}
