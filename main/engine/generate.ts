// One reply: prompt in, text out as it comes, figures at the end. Cancelling keeps what was made.
import { randomInt } from "node:crypto"
import type { z } from "zod"
import type { GenerateEvent, GenerateOptions, GenerateResult } from "../../shared/contract/engine.ts"
import type { CallContext } from "../../shared/rpc.ts"
import type { StopReason } from "../../shared/schema/chat.ts"
import type { NativeGenerateResult } from "./addon-types.ts"
import { createEventBatch } from "./event-batch.ts"
import type { HeldModel } from "./model-slot.ts"
import { buildPrompt } from "./prompt.ts"
import { runTask } from "./run-task.ts"
import { createStopStrings } from "./stop-strings.ts"

type Event = z.output<typeof GenerateEvent>

export async function generate(
  model: HeldModel,
  options: z.output<typeof GenerateOptions>,
  { signal, emit }: CallContext<Event>,
): Promise<GenerateResult> {
  const started = performance.now()
  const { seed: wantedSeed, maxNewTokens, ...sampling } = options.sampling
  const seed = wantedSeed ?? randomInt(2 ** 32)
  const prompt = await buildPrompt(model, options.prompt, maxNewTokens)
  const reply = createReply(model, options.stop, emit)

  const request = { tokens: prompt.tokens, maxNewTokens, sampling: { ...sampling, seed }, stopTokens: model.opened.stopTokens }
  let made = 0
  const push = (ids: number[]) => {
    made += ids.length
    model.mostTokens = Math.max(model.mostTokens, prompt.tokens.length + made)
    return reply.push(ids)
  }
  const result = await runTask(model.native.generate(request, push), signal)
  await reply.end()
  return {
    text: reply.text,
    tokens: reply.tokens,
    stopReason: reply.isStopped ? "stop_string" : stopReasons[result.stopReason],
    promptTokens: result.promptTokens,
    cachedTokens: result.cachedTokens,
    prefillTokensPerS: perSecond(result.promptTokens - result.cachedTokens, result.prefillMs),
    decodeTokensPerS: perSecond(result.tokens.length - 1, result.decodeMs),
    timeToFirstTokenMs: reply.firstAt === null ? 0 : reply.firstAt - started,
    seed,
    droppedMessages: prompt.droppedMessages,
  }
}

const stopReasons: Record<NativeGenerateResult["stopReason"], StopReason> = {
  stop_token: "end",
  max_new_tokens: "max_new_tokens",
  context_full: "context_full",
  cancelled: "cancelled",
}

function perSecond(count: number, ms: number): number {
  return count > 0 && ms > 0 ? (count * 1000) / ms : 0
}

/** Takes the tokens as they are made and turns them into events. */
function createReply(model: HeldModel, stops: string[], emit: CallContext<Event>["emit"]) {
  const stream = model.text.isTextless ? null : model.text.tokenizer().stream({ skipSpecial: true })
  const stopTokens = new Set(model.opened.stopTokens)
  const stopStrings = createStopStrings(stops)
  const batch = createEventBatch(emit)
  const reply = {
    text: "",
    tokens: [] as number[],
    firstAt: null as number | null,
    get isStopped() {
      return stopStrings.isStopped
    },
    /** Answers the engine: false when no more is wanted. */
    push(ids: number[]): boolean | undefined {
      reply.firstAt ??= performance.now()
      // One by one: the token that completes a stop string is the last one of the reply.
      for (const id of ids) {
        if (stopStrings.isStopped) break
        reply.tokens.push(id)
        add(stream && !stopTokens.has(id) ? stopStrings.push(stream.push([id])) : "", 1)
      }
      return stopStrings.isStopped ? false : undefined
    },
    async end(): Promise<void> {
      if (!stopStrings.isStopped) add(stopStrings.push(stream?.end() ?? ""), 0)
      if (!stopStrings.isStopped) add(stopStrings.end(), 0)
      await batch.end()
    },
  }
  function add(text: string, tokens: number): void {
    reply.text += text
    batch.add(text, tokens)
  }
  return reply
}
