// What can be done with chats: calls to main, and what the page keeps of their results.
import type { ChatEvent } from "../../../shared/contract/app.ts"
import type { Chat, Message } from "../../../shared/schema/chat.ts"
import { toErrorData } from "../../../shared/schema/error.ts"
import { client } from "../../lib/client.ts"
import { attempt } from "../../lib/failure.ts"
import { known, mirror } from "../../lib/mirror.ts"
import { navigation, openChat } from "../../lib/navigation.ts"
import { type ChatSettings, chat, chatForgotten, draftChanged, freshSettings, replyBegan, replyChanged, replyEnded } from "./state.ts"
import { flushText, takeText } from "./stream.ts"
import { newestLeafBelow } from "./tree.ts"

const aborts = new Map<string, AbortController>()

function put(record: Chat): void {
  chat.update((part) => ({ chats: { ...part.chats, [record.id]: record } }))
}

function fail(chatId: string | null) {
  return (error: ReturnType<typeof toErrorData>) => chat.update((part) => ({ failures: { ...part.failures, [chatId ?? ""]: error } }))
}

export async function fetchChat(chatId: string): Promise<void> {
  try {
    const record = await client["chats.get"]({ chatId })
    // What this page is writing is newer than what was asked for before.
    if (!chat.get().replies[chatId]) put(record)
  } catch (thrown) {
    const error = toErrorData(thrown)
    if (error.code === "not_found" && navigation.get().chatId === chatId) openChat(null)
    else fail(chatId)(error)
  }
}

/** The chat that is open; a new one is made where there is none yet. */
async function openOrNewChat(): Promise<Chat> {
  const { chatId } = navigation.get()
  const open = chatId === null ? undefined : chat.get().chats[chatId]
  if (open) return open
  const { fresh } = chat.get()
  const made = await client["chats.create"]({ system: fresh.system })
  const isPlain = fresh.sampling === freshSettings.sampling && fresh.overflow === freshSettings.overflow
  const record = isPlain ? made : await client["chats.update"]({ chatId: made.id, sampling: fresh.sampling, overflow: fresh.overflow })
  put(record)
  chat.update({ fresh: freshSettings })
  openChat(record.id)
  return record
}

/** Resolves when the reply is over: true if main took the message, so that it is in the chat. */
async function follow(
  chatId: string,
  call: (onEvent: (event: ChatEvent) => void, signal: AbortSignal) => Promise<Message>,
): Promise<boolean> {
  let isTaken = false
  const abort = new AbortController()
  aborts.set(chatId, abort)
  chat.update((part) => replyBegan(part, chatId))
  const onEvent = (event: ChatEvent) => {
    if (event.type === "text") return takeText(chatId, event)
    flushText()
    isTaken = true
    chat.update((part) => replyChanged(part, chatId, event))
  }
  try {
    const message = await call(onEvent, abort.signal)
    flushText()
    chat.update((part) => replyEnded(part, chatId, { message }))
  } catch (thrown) {
    flushText()
    chat.update((part) => replyEnded(part, chatId, { error: toErrorData(thrown) }))
    await fetchChat(chatId)
  } finally {
    aborts.delete(chatId)
  }
  return isTaken
}

/** Sends the draft of the open chat. The draft is cleared once the chat that takes it exists. */
export async function send(text: string): Promise<void> {
  const from = navigation.get().chatId
  const record = await attempt(openOrNewChat, fail(from))
  if (!record) return
  chat.update((part) => ({ drafts: { ...part.drafts, [from ?? ""]: "", [record.id]: "" } }))
  const isTaken = await follow(record.id, (onEvent, signal) =>
    client["chat.send"]({ chatId: record.id, parentId: record.activeLeafId, text }, onEvent, signal),
  )
  if (!isTaken) chat.update((part) => (part.drafts[record.id] ? {} : draftChanged(part, record.id, text)))
}

/** A new version of a user message, with a reply of its own. */
export async function sendEdited(message: Message, text: string): Promise<void> {
  const { chatId, parentId } = message
  chat.update({ editing: null })
  await follow(chatId, (onEvent, signal) => client["chat.send"]({ chatId, parentId, text }, onEvent, signal))
}

export async function answerAgain({ chatId, id }: Message): Promise<void> {
  await follow(chatId, (onEvent, signal) => client["chat.regenerate"]({ chatId, messageId: id }, onEvent, signal))
}

/** Stops the reply of a chat; its text stays. */
export function stop(chatId: string | null): void {
  if (chatId !== null) aborts.get(chatId)?.abort()
}

export async function chooseVersion(chatId: string, messageId: string): Promise<void> {
  const record = chat.get().chats[chatId]
  if (!record) return
  const activeLeafId = newestLeafBelow(record, messageId)
  put({ ...record, activeLeafId })
  await attempt(() => client["chats.update"]({ chatId: record.id, activeLeafId }), fail(record.id))
}

/** Changes the open chat's settings at once and tells main; a new chat keeps them until it is made. */
export async function setUp(change: Partial<ChatSettings>): Promise<void> {
  const { chatId } = navigation.get()
  const record = chatId === null ? undefined : chat.get().chats[chatId]
  if (!record) return chat.update((part) => ({ fresh: { ...part.fresh, ...change } }))
  put({ ...record, ...change })
  await attempt(() => client["chats.update"]({ chatId: record.id, ...change }), fail(record.id))
}

export async function rename(chatId: string, title: string): Promise<void> {
  const updated = await attempt(() => client["chats.update"]({ chatId, title }), fail(chatId))
  if (updated && chat.get().chats[chatId]) put(updated)
}

/** Hides the chat; it is gone for good when `finishRemoval` runs. */
export function hide(chatId: string): void {
  stop(chatId)
  chat.update((part) => ({ removed: [...part.removed, chatId] }))
  if (navigation.get().chatId === chatId) openChat(null)
}

export function restore(chatId: string): void {
  chat.update((part) => ({ removed: part.removed.filter((id) => id !== chatId) }))
  openChat(chatId)
}

export async function finishRemoval(chatId: string): Promise<void> {
  if (!chat.get().removed.includes(chatId)) return
  await attempt(() => client["chats.remove"]({ chatId }), fail(chatId))
  chat.update((part) => chatForgotten(part, chatId))
}

let lastSearch = 0

/** Searches all messages; an empty text shows every chat again. null ends searching. */
export async function search(text: string | null): Promise<void> {
  const mine = ++lastSearch
  if (text === null || !text.trim()) return chat.update({ search: text === null ? null : { text, hits: [] } })
  chat.update((part) => ({ search: { text, hits: part.search?.hits ?? [] } }))
  const hits = await attempt(
    () => client["chats.search"]({ text: text.trim() }),
    () => chat.update({ search: { text, hits: [] } }),
  )
  if (hits && mine === lastSearch) chat.update({ search: { text, hits } })
}

/** Opens what the address names, fetches again what may have changed elsewhere, ends pending removals with the page. */
export function startChats(): void {
  const fetchOpen = () => {
    const { chatId } = navigation.get()
    if (chatId !== null && mirror.get().snapshot) void fetchChat(chatId)
  }
  navigation.subscribe((part, before) => {
    if (part.chatId !== before.chatId) chat.update({ editing: null })
    if (part.chatId !== before.chatId && part.chatId !== null && !chat.get().chats[part.chatId]) fetchOpen()
  })
  mirror.subscribe((part, before) => {
    if (part.round !== before.round) return fetchOpen()
    if (part.snapshot?.chats === before.snapshot?.chats) return
    for (const summary of known().chats) {
      const mine = chat.get().chats[summary.id]
      if (mine && mine.updatedAt < summary.updatedAt && !chat.get().replies[summary.id]) void fetchChat(summary.id)
    }
  })
  addEventListener("pagehide", () => {
    for (const chatId of chat.get().removed) void finishRemoval(chatId)
  })
}

/** Where one was last time: the chat that was written to last, unless the address names a place. */
export function openLastChat(): void {
  const last = known().chats.toSorted((a, b) => b.updatedAt - a.updatedAt)[0]
  if (location.hash === "" && last) openChat(last.id)
}
