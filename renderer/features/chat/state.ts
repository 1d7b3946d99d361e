// The chats this page has opened, what is being written, and what the user was about to do.
import type { ChatEvent } from "../../../shared/contract/app.ts"
import { type Chat, type ChatSummary, chatSampling, type Message, Overflow, type SearchHit } from "../../../shared/schema/chat.ts"
import type { ErrorData } from "../../../shared/schema/error.ts"
import { slice } from "../../lib/slice.ts"

/** What a chat is set to; a new one has it before main knows of it. */
export type ChatSettings = Pick<Chat, "system" | "sampling" | "overflow">

export interface ChatPart {
  chats: Record<string, Chat>
  /** Replies that this page waits for, by chat; null until main has named the message. */
  replies: Record<string, { messageId: string | null }>
  /** A call that failed without leaving a failed message, by chat ("" is the new one). */
  failures: Record<string, ErrorData>
  /** What stands in the composer, by chat ("" is the new one). */
  drafts: Record<string, string>
  fresh: ChatSettings
  editing: string | null
  /** Chats that are hidden while their removal can be undone. */
  removed: string[]
  /** null: the list is not being searched. */
  search: null | { text: string; hits: SearchHit[] }
  isListOpen: boolean
  isPanelOpen: boolean
}

export const freshSettings: ChatSettings = { system: "", sampling: chatSampling, overflow: Overflow.enum["drop-oldest"] }

export const chat = slice<ChatPart>("chat", {
  chats: {},
  replies: {},
  failures: {},
  drafts: {},
  fresh: freshSettings,
  editing: null,
  removed: [],
  search: null,
  isListOpen: false,
  isPanelOpen: false,
})

function without<V>(record: Record<string, V>, key: string): Record<string, V> {
  const { [key]: _, ...rest } = record
  return rest
}

function withChat(part: ChatPart, chatId: string, change: (chat: Chat) => Chat): Partial<ChatPart> {
  const known = part.chats[chatId]
  return known ? { chats: { ...part.chats, [chatId]: change(known) } } : {}
}

/** Replaces a message of the same id, or adds it. */
export function putMessage(chat: Chat, message: Message): Chat {
  const isKnown = chat.messages.some((other) => other.id === message.id)
  const messages = isKnown ? chat.messages.map((other) => (other.id === message.id ? message : other)) : [...chat.messages, message]
  return { ...chat, messages }
}

export function replyBegan(part: ChatPart, chatId: string): Partial<ChatPart> {
  return { replies: { ...part.replies, [chatId]: { messageId: null } }, failures: without(part.failures, chatId) }
}

export function replyChanged(part: ChatPart, chatId: string, event: ChatEvent): Partial<ChatPart> {
  if (event.type === "started") {
    const { user, reply } = event
    return {
      ...withChat(part, chatId, (chat) => ({ ...putMessage(user ? putMessage(chat, user) : chat, reply), activeLeafId: reply.id })),
      replies: { ...part.replies, [chatId]: { messageId: reply.id } },
    }
  }
  return withChat(part, chatId, (chat) => ({
    ...chat,
    messages: chat.messages.map((message) => (message.id === event.messageId ? { ...message, text: message.text + event.text } : message)),
  }))
}

/** The reply is over: `message` is how it ended, or `error` why there is none. */
export function replyEnded(part: ChatPart, chatId: string, end: { message: Message } | { error: ErrorData }): Partial<ChatPart> {
  const replies = without(part.replies, chatId)
  if ("message" in end) return { ...withChat(part, chatId, (chat) => putMessage(chat, end.message)), replies }
  const { messageId } = part.replies[chatId] ?? { messageId: null }
  // Main has said with the reply that it failed; where that did not come through (it is gone itself), the page says so.
  if (messageId === null) return { replies, failures: { ...part.failures, [chatId]: end.error } }
  const fail = (message: Message): Message =>
    message.id === messageId && message.state === "streaming" ? { ...message, state: "failed", error: end.error } : message
  return { ...withChat(part, chatId, (chat) => ({ ...chat, messages: chat.messages.map(fail) })), replies }
}

export function chatForgotten(part: ChatPart, chatId: string): Partial<ChatPart> {
  return {
    chats: without(part.chats, chatId),
    drafts: without(part.drafts, chatId),
    failures: without(part.failures, chatId),
    removed: part.removed.filter((id) => id !== chatId),
  }
}

export function draftChanged(part: ChatPart, chatId: string | null, text: string): Partial<ChatPart> {
  return { drafts: { ...part.drafts, [chatId ?? ""]: text } }
}

const day_ms = 24 * 60 * 60 * 1000
export const ages = ["today", "yesterday", "lastWeek", "earlier"] as const
export type Age = (typeof ages)[number]

/** Newest first, in groups by the calendar day of `now`; chats whose removal can be undone are left out. */
export function groupByAge(chats: ChatSummary[], removed: string[], now: number): { age: Age; chats: ChatSummary[] }[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  const ageOf = (time: number): Age => {
    if (time >= midnight) return "today"
    if (time >= midnight - day_ms) return "yesterday"
    return time >= midnight - 7 * day_ms ? "lastWeek" : "earlier"
  }
  const shown = chats.filter((chat) => !removed.includes(chat.id)).sort((a, b) => b.updatedAt - a.updatedAt)
  return ages
    .map((age) => ({ age, chats: shown.filter((chat) => ageOf(chat.updatedAt) === age) }))
    .filter((group) => group.chats.length > 0)
}
