// Chats as records: a tree of messages each, searched by their text.
import { randomUUID } from "node:crypto"
import type { z } from "zod"
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { type Chat, type ChatSummary, type ChatTurn, chatSampling, Message, Overflow, Sampling } from "../../shared/schema/chat.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { Database, Row } from "../storage/database.ts"
import { searchMessages } from "./chat-search.ts"
import type { Events } from "./events.ts"

type ChatHandlers = Pick<Handlers<AppContract>, "chats.create" | "chats.get" | "chats.update" | "chats.remove" | "chats.search">

export interface NewMessage {
  chatId: string
  parentId: string | null
  role: Message["role"]
  text: string
  state: Message["state"]
  model: string | null
}

export interface Chats {
  list(): ChatSummary[]
  /** Throws "not_found". */
  get(chatId: string): Chat
  /** Adds messages, each below the one before, and makes the last one the active leaf. */
  add(messages: NewMessage[]): Message[]
  /** A chat that was removed meanwhile is left alone. */
  saveText(messageId: string, text: string): void
  finish(message: Message): void
  /** Ends messages that a dead process was writing; their text stays. */
  recover(): void
  onRemove(listener: (chatId: string) => void): void
  handlers: ChatHandlers
}

const untitled = "New chat"

export function createChats(options: { database: Database; events: Events; now?: () => number }): Chats {
  const { database, events, now = Date.now } = options
  const removalListeners: ((chatId: string) => void)[] = []

  function list(): ChatSummary[] {
    return database.all("SELECT id, title, created_at, updated_at FROM chats ORDER BY updated_at DESC, rowid DESC").map(summaryOf)
  }
  const tell = () => events.emit({ type: "chats", chats: list() })

  function get(chatId: string): Chat {
    const row = database.get("SELECT * FROM chats WHERE id = ?", chatId)
    if (!row) throw new AppError("not_found", "This chat is not there any more.")
    const messages = database.all("SELECT * FROM messages WHERE chat_id = ? ORDER BY sequence", chatId).map(messageOf)
    return {
      ...summaryOf(row),
      system: String(row.system),
      sampling: parsed(row.sampling, Sampling) ?? chatSampling,
      overflow: Overflow.catch("drop-oldest").parse(row.overflow),
      messages,
      activeLeafId: row.active_leaf_id === null ? null : String(row.active_leaf_id),
    }
  }

  function insert({ chatId, parentId, role, text, state, model }: NewMessage): Message {
    const id = randomUUID()
    const createdAt = now()
    database.run(
      "INSERT INTO messages (id, chat_id, parent_id, role, text, state, model, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ...[id, chatId, parentId, role, text, state, model, createdAt],
    )
    return { id, chatId, parentId, role, text, state, stopReason: null, stats: null, error: null, model, createdAt }
  }

  function add(messages: NewMessage[]): Message[] {
    const added = database.transaction(() => {
      const made: Message[] = []
      for (const message of messages) made.push(insert({ ...message, parentId: made.at(-1)?.id ?? message.parentId }))
      for (const { chatId, id, role, text } of made) {
        database.run("UPDATE chats SET active_leaf_id = ?, updated_at = ? WHERE id = ?", id, now(), chatId)
        if (role === "user") database.run("UPDATE chats SET title = ? WHERE id = ? AND title = ?", titleFrom(text), chatId, untitled)
      }
      return made
    })
    tell()
    return added
  }

  const handlers: ChatHandlers = {
    "chats.create"({ system }) {
      const id = randomUUID()
      database.run(
        "INSERT INTO chats (id, title, system, sampling, overflow, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ...[id, untitled, system, JSON.stringify(chatSampling), "drop-oldest", now(), now()],
      )
      tell()
      return get(id)
    },
    "chats.get": ({ chatId }) => get(chatId),
    "chats.update"({ chatId, title, system, sampling, overflow, activeLeafId }) {
      const chat = get(chatId)
      if (activeLeafId !== undefined && !chat.messages.some(({ id }) => id === activeLeafId))
        throw new AppError("bad_input", "The message to show is not in this chat.")
      database.run(
        "UPDATE chats SET title = ?, system = ?, sampling = ?, overflow = ?, active_leaf_id = ? WHERE id = ?",
        ...[title ?? chat.title, system ?? chat.system, JSON.stringify(sampling ?? chat.sampling), overflow ?? chat.overflow],
        ...[activeLeafId ?? chat.activeLeafId, chatId],
      )
      if (title !== undefined) tell()
      return get(chatId)
    },
    "chats.remove"({ chatId }) {
      for (const listener of removalListeners) listener(chatId)
      database.run("DELETE FROM chats WHERE id = ?", chatId)
      tell()
    },
    "chats.search": ({ text }) => searchMessages(database, text),
  }

  return {
    list,
    get,
    add,
    saveText: (messageId, text) => database.run("UPDATE messages SET text = ? WHERE id = ?", text, messageId),
    finish({ id, chatId, text, state, stopReason, stats, error }) {
      database.transaction(() => {
        database.run(
          "UPDATE messages SET text = ?, state = ?, stop_reason = ?, stats = ?, error = ? WHERE id = ?",
          ...[text, state, stopReason, stats && JSON.stringify(stats), error && JSON.stringify(error), id],
        )
        database.run("UPDATE chats SET updated_at = ? WHERE id = ?", now(), chatId)
      })
      tell()
    },
    recover() {
      const error = { code: "engine_lost", message: "Nibble was ended while this reply was being written." }
      database.run("UPDATE messages SET state = 'failed', error = ? WHERE state = 'streaming'", JSON.stringify(error))
    },
    onRemove: (listener) => void removalListeners.push(listener),
    handlers,
  }
}

function summaryOf(row: Row): ChatSummary {
  return { id: String(row.id), title: String(row.title), createdAt: Number(row.created_at), updatedAt: Number(row.updated_at) }
}

const { stats: statsSchema, error: errorSchema, stopReason: stopReasonSchema, state: stateSchema } = Message.shape

function messageOf(row: Row): Message {
  return {
    id: String(row.id),
    chatId: String(row.chat_id),
    parentId: row.parent_id === null ? null : String(row.parent_id),
    role: row.role === "user" ? "user" : "assistant",
    text: String(row.text),
    state: stateSchema.catch("stopped").parse(row.state),
    stopReason: stopReasonSchema.catch(null).parse(row.stop_reason),
    stats: parsed(row.stats, statsSchema),
    error: parsed(row.error, errorSchema),
    model: row.model === null ? null : String(row.model),
    createdAt: Number(row.created_at),
  }
}

/** JSON of the database; null where it is not what it should be, so that one damaged value does not hide a chat. */
function parsed<T extends z.ZodType>(text: unknown, schema: T): z.output<T> | null {
  if (typeof text !== "string") return null
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** The first line that says something, as long as a list can show. */
export function titleFrom(text: string): string {
  const line = text.split("\n").find((one) => /[\p{L}\p{N}]/u.test(one)) ?? text
  const plain = line
    .replace(/^[\s#>*-]+/, "")
    .replace(/\s+/g, " ")
    .trim()
  const characters = [...plain]
  if (characters.length <= 60) return plain || untitled
  const cut = characters.slice(0, 60).join("")
  const atWord = cut.replace(/\s+\S*$/, "")
  return `${atWord.length >= 30 ? atWord : cut}…`
}

/** The messages from the root to `leafId`. */
export function pathTo(chat: Chat, leafId: string | null): Message[] {
  const byId = new Map(chat.messages.map((message) => [message.id, message]))
  const path: Message[] = []
  for (let at = leafId === null ? undefined : byId.get(leafId); at; at = at.parentId === null ? undefined : byId.get(at.parentId))
    path.push(at)
  return path.reverse()
}

/**
 * The conversation as a model reads it. Many templates refuse turns that do not alternate, so a reply without text is left out and what
 * the user wrote before and after it is one turn.
 */
export function turnsOf(system: string, messages: { role: Message["role"]; text: string }[]): ChatTurn[] {
  const turns: ChatTurn[] = system.trim() === "" ? [] : [{ role: "system", content: system }]
  for (const { role, text } of messages) {
    if (role === "assistant" && text === "") continue
    const last = turns.at(-1)
    if (last && last.role === role) last.content += `\n\n${text}`
    else turns.push({ role, content: text })
  }
  return turns
}
