// Replies: streamed to the page as they come and kept in the chat as they grow, so that whatever ends the page, the engine or this
// process, what was written stays.
import type { AppContract, ChatEvent } from "../../shared/contract/app.ts"
import type { GenerateResult } from "../../shared/contract/engine.ts"
import type { CallContext, Handlers } from "../../shared/rpc.ts"
import type { Chat, Message, ReplyStats } from "../../shared/schema/chat.ts"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import type { Engine } from "../engine/client.ts"
import { type Chats, type NewMessage, pathTo, titleFrom, turnsOf } from "./chats.ts"
import type { Loader } from "./loading.ts"
import { throttle } from "./progress.ts"

export interface ChatService {
  /** Stops the replies under way and waits until they are kept. */
  close(): Promise<void>
  handlers: Pick<Handlers<AppContract>, "chat.send" | "chat.regenerate" | "chat.count">
}

export interface ChatServiceOptions {
  engine: Pick<Engine, "client">
  chats: Chats
  loader: Loader
  warn(sentence: string): void
  /** After each reply that the model wrote to its end. */
  onReply?(): void
  save_ms?: number
}

type Context = CallContext<ChatEvent>

export function createChat({ engine, chats, loader, warn, onReply = () => {}, save_ms = 1000 }: ChatServiceOptions): ChatService {
  const replies = new Map<string, { abort: AbortController; ended: Promise<unknown> }>()
  chats.onRemove((chatId) => replies.get(chatId)?.abort.abort())

  /** Adds the reply (and before it the user's message, if it is new) and lets the model write it. */
  function answer(chat: Chat, before: Message[], user: NewMessage | null, context: Context): Promise<Message> {
    const title = user && chat.messages.length === 0 ? titleFrom(user.text) : chat.title
    return loader.use(`it writes a reply in "${title}"`, async (model) => {
      const abort = new AbortController()
      const signal = AbortSignal.any([abort.signal, context.signal])
      const reply: NewMessage = {
        chatId: chat.id,
        parentId: before.at(-1)?.id ?? null,
        role: "assistant",
        text: "",
        state: "streaming",
        model: `${model.name} · ${model.format}`,
      }
      const added = chats.add(user ? [user, reply] : [reply])
      const message = added.at(-1)
      if (!message) throw new AppError("internal", "The reply was not added to the chat.")
      const turns = turnsOf(chat.system, user ? [...before, user] : before)
      const work = write(message, user ? (added[0] ?? null) : null, turns, chat, { ...context, signal })
      replies.set(chat.id, { abort, ended: work.catch(() => {}) })
      try {
        return await work
      } finally {
        replies.delete(chat.id)
      }
    })
  }

  async function write(
    reply: Message,
    user: Message | null,
    turns: ReturnType<typeof turnsOf>,
    chat: Chat,
    { emit, signal }: Context,
  ): Promise<Message> {
    let text = ""
    const save = throttle(() => {
      try {
        chats.saveText(reply.id, text)
      } catch (thrown) {
        warn(`A reply could not be saved while it was written: ${toErrorData(thrown).message}`)
      }
    }, save_ms)
    let end: Pick<Message, "state" | "stopReason" | "stats" | "error">
    try {
      await emit({ type: "started", user, reply })
      const result = await engine.client["model.generate"](
        { prompt: { kind: "chat", turns, overflow: chat.overflow }, sampling: chat.sampling },
        async (event) => {
          text += event.text
          save.call()
          await emit({ type: "text", messageId: reply.id, ...event })
        },
        signal,
      )
      text = result.text
      onReply()
      end = {
        state: result.stopReason === "cancelled" ? "stopped" : "done",
        stopReason: result.stopReason,
        stats: statsOf(result),
        error: null,
      }
    } catch (thrown) {
      const error = toErrorData(thrown)
      const isStopped = error.code === "cancelled"
      end = isStopped
        ? { state: "stopped", stopReason: "cancelled", stats: null, error: null }
        : { state: "failed", stopReason: null, stats: null, error }
    }
    save.cancel()
    const ended: Message = { ...reply, text, ...end }
    chats.finish(ended)
    return ended
  }

  async function count(turns: ReturnType<typeof turnsOf>): Promise<{ tokens: number; limit: number }> {
    return engine.client["model.count"]({ prompt: { kind: "chat", turns } })
  }

  return {
    async close() {
      const open = [...replies.values()]
      for (const { abort } of open) abort.abort()
      await Promise.all(open.map(({ ended }) => ended))
    },
    handlers: {
      "chat.send"({ chatId, parentId, text }, context) {
        const chat = chats.get(chatId)
        if (parentId !== null && !chat.messages.some(({ id }) => id === parentId))
          throw new AppError("bad_input", "The message that this one answers is not in this chat.")
        const user: NewMessage = { chatId, parentId, role: "user", text, state: "done", model: null }
        return answer(chat, pathTo(chat, parentId), user, context)
      },

      "chat.regenerate"({ chatId, messageId }, context) {
        const chat = chats.get(chatId)
        const message = chat.messages.find(({ id }) => id === messageId)
        if (!message) throw new AppError("not_found", "The message to answer again is not in this chat.")
        return answer(chat, pathTo(chat, message.role === "user" ? message.id : message.parentId), null, context)
      },

      async "chat.count"({ chatId, system: newSystem, draft }) {
        const chat = chatId === null ? null : chats.get(chatId)
        const load = loader.state()
        if (load.state !== "ready") return { chat: 0, draft: 0, limit: null }
        const path = chat ? pathTo(chat, chat.activeLeafId) : []
        const system = chat ? chat.system : newSystem
        // Of the turns alone: a system prompt without a turn is counted with the first one, as some templates refuse it alone.
        const chatTokens = path.length > 0 ? (await count(turnsOf(system, path))).tokens : 0
        if (draft === "") return { chat: chatTokens, draft: 0, limit: load.model.context }
        const both = await count(turnsOf(system, [...path, { role: "user", text: draft }]))
        return { chat: chatTokens, draft: Math.max(0, both.tokens - chatTokens), limit: both.limit }
      },
    },
  }
}

function statsOf(result: GenerateResult): ReplyStats {
  const { tokens, promptTokens, cachedTokens, decodeTokensPerS, prefillTokensPerS, timeToFirstTokenMs, seed, droppedMessages } = result
  return {
    tokens: tokens.length,
    promptTokens,
    cachedTokens,
    decodeTokensPerS,
    prefillTokensPerS,
    timeToFirstTokenMs,
    seed,
    droppedMessages,
  }
}
