// Prompts as token ids, and what does not fit.
import type { z } from "zod"
import type { Prompt as PromptSchema } from "../../shared/contract/engine.ts"
import type { ChatTurn } from "../../shared/schema/chat.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { HeldModel } from "./model-slot.ts"

export type Prompt = z.output<typeof PromptSchema>

export interface BuiltPrompt {
  tokens: number[]
  /** Oldest turns that were left out. */
  droppedMessages: number
}

/** The prompt's tokens; of a chat that may drop its oldest turns, as many as leave room for a reply. */
export async function buildPrompt(model: HeldModel, prompt: Prompt, maxNewTokens: number): Promise<BuiltPrompt> {
  const { context } = model.shown
  const tokens = await tokensOf(model, prompt)
  if (prompt.kind === "chat" && prompt.overflow === "drop-oldest" && tokens.length + replyRoom(context, maxNewTokens) > context) {
    return dropOldest(model, prompt.turns, context - replyRoom(context, maxNewTokens))
  }
  if (tokens.length > context) throw tooLong(model, tokens.length, prompt.kind === "chat")
  return { tokens, droppedMessages: 0 }
}

export async function countTokens(model: HeldModel, prompt: Prompt): Promise<{ tokens: number; limit: number }> {
  return { tokens: (await tokensOf(model, prompt)).length, limit: model.shown.context }
}

export function tokenize(model: HeldModel, input: { text?: string | undefined; decode?: number[] | undefined }) {
  const tokenizer = model.text.tokenizer()
  const ids = input.decode ?? tokenizer.encode(input.text ?? "", { addSpecial: false })
  const vocabSize = model.opened.decoder.vocabSize
  const wrong = ids.find((id) => id >= vocabSize)
  if (wrong !== undefined) throw new AppError("bad_input", `The token id ${wrong} is not in the vocabulary of ${vocabSize}.`)
  return { ids, tokens: ids.map((id) => tokenizer.tokenText(id)), text: tokenizer.decode(ids, { skipSpecial: false }) }
}

async function tokensOf(model: HeldModel, prompt: Prompt): Promise<number[]> {
  if (prompt.kind === "tokens") return prompt.tokens
  if (prompt.kind === "text") return model.text.tokenizer().encode(prompt.text, { addSpecial: true })
  const template = await model.text.template()
  const text = template.render(prompt.turns, { addGenerationPrompt: true, now: new Date() })
  // The template writes the special tokens itself.
  return model.text.tokenizer().encode(text, { addSpecial: false })
}

/** Tokens kept free for the reply: an eighth of the context, 256 at least; but never more than is asked for, or than half. */
function replyRoom(context: number, maxNewTokens: number): number {
  return Math.min(Math.max(256, Math.floor(context / 8)), maxNewTokens, Math.floor(context / 2))
}

/**
 * The longest end of the chat, after its system turn, that fits `room`. It begins with a user turn, because many templates refuse
 * another order. When not even the last exchange fits `room`, it is used all the same if the context can hold it.
 */
async function dropOldest(model: HeldModel, turns: ChatTurn[], room: number): Promise<BuiltPrompt> {
  const system = turns[0]?.role === "system" ? turns.slice(0, 1) : []
  const starts = turns.flatMap((turn, i) => (turn.role === "user" && i > system.length ? [i] : []))
  const build = async (start: number): Promise<BuiltPrompt> => ({
    tokens: await tokensOf(model, { kind: "chat", turns: [...system, ...turns.slice(start)], overflow: "stop" }),
    droppedMessages: start - system.length,
  })
  // Fewer turns are fewer tokens, so halving finds the first start that fits.
  let best = await build(starts.at(-1) ?? system.length)
  if (best.tokens.length > model.shown.context) throw tooLong(model, best.tokens.length, true)
  for (let low = 0, high = starts.length - 1; low < high; ) {
    const middle = Math.floor((low + high) / 2)
    const built = await build(starts[middle] ?? 0)
    const isFitting = built.tokens.length <= room
    if (isFitting) best = built
    if (isFitting) high = middle
    else low = middle + 1
  }
  return best
}

function tooLong(model: HeldModel, tokens: number, isChat: boolean): AppError {
  const { context, contextLimit, name } = model.shown
  const longer = context < contextLimit ? `Load ${name} with a longer context (it can do ${contextLimit}), or shorten it` : "Shorten it"
  return new AppError(
    "bad_input",
    `The ${isChat ? "conversation" : "prompt"} has ${tokens} tokens; the context holds ${context}.`,
    `${longer}${isChat ? ", start a new chat, or let the oldest messages be left out" : ""}.`,
  )
}
