// Finds messages by what they say. The index knows all runs of three characters; shorter words are looked for in the texts themselves.
import type { SearchHit } from "../../shared/schema/chat.ts"
import type { Database } from "../storage/database.ts"

const mostHits = 100
const snippet_trigrams = 64
const around_characters = 30

/** Messages that hold every word of `text`, newest first. */
export function searchMessages(database: Database, text: string): SearchHit[] {
  const words = text.split(/\s+/).filter((word) => word !== "")
  const long = words.filter((word) => [...word].length >= 3)
  const short = words.filter((word) => [...word].length < 3)
  if (words.length === 0) return []
  const holdsShort = short.map(() => "AND instr(lower(messages.text), lower(?)) > 0").join(" ")
  const from = "messages JOIN chats ON chats.id = messages.chat_id"
  const columns = "chats.id AS chat_id, chats.title AS title, messages.id AS message_id"
  const order = `ORDER BY messages.sequence DESC LIMIT ${mostHits}`
  const rows =
    long.length > 0
      ? database.all(
          `SELECT ${columns}, snippet(message_search, 0, '', '', '…', ${snippet_trigrams}) AS snippet
            FROM message_search JOIN messages ON messages.sequence = message_search.rowid JOIN chats ON chats.id = messages.chat_id
            WHERE message_search MATCH ? ${holdsShort} ${order}`,
          // Quoted, a word is text, whatever signs are in it.
          long.map((word) => `"${word.replaceAll('"', '""')}"`).join(" AND "),
          ...short,
        )
      : database.all(`SELECT ${columns}, messages.text AS snippet FROM ${from} WHERE 1 ${holdsShort} ${order}`, ...short)
  const hits = rows.map((row) => ({
    chatId: String(row.chat_id),
    title: String(row.title),
    messageId: String(row.message_id),
    snippet: long.length > 0 ? plain(String(row.snippet)) : excerpt(String(row.snippet), short[0] ?? ""),
  }))
  return [...titleHits(database, words, new Set(hits.map(({ chatId }) => chatId))), ...hits]
}

/** Chats that the user named so, though no message says it. */
function titleHits(database: Database, words: string[], known: Set<string>): SearchHit[] {
  const rows = database.all(
    `SELECT chats.id AS chat_id, title, messages.id AS message_id, text FROM chats JOIN messages ON messages.id = chats.active_leaf_id
      ORDER BY updated_at DESC`,
  )
  return rows.flatMap(({ chat_id, title, message_id, text }) => {
    const name = String(title).toLocaleLowerCase()
    if (known.has(String(chat_id)) || !words.every((word) => name.includes(word.toLocaleLowerCase()))) return []
    return [{ chatId: String(chat_id), title: String(title), messageId: String(message_id), snippet: excerpt(String(text), "") }]
  })
}

const plain = (text: string) => text.replace(/\s+/g, " ").trim()

function excerpt(text: string, word: string): string {
  const at = Math.max(0, text.toLowerCase().indexOf(word.toLowerCase()))
  const before = [...text.slice(0, at)]
  const after = [...text.slice(at)]
  const start = before.length > around_characters ? "…" : ""
  const end = after.length > around_characters * 2 ? "…" : ""
  return plain(start + before.slice(-around_characters).join("") + after.slice(0, around_characters * 2).join("") + end)
}
