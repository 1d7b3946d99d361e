// A chat is a tree of messages: an edit or another answer is a sibling. What is shown is the path from the root to the active leaf.
import type { Chat, Message } from "../../../shared/schema/chat.ts"

export function shownPath(chat: Chat): Message[] {
  const byId = new Map(chat.messages.map((message) => [message.id, message]))
  const path: Message[] = []
  for (let at = chat.activeLeafId; at !== null; ) {
    const message = byId.get(at)
    if (!message) break
    path.push(message)
    at = message.parentId
  }
  return path.reverse()
}

/** The message and its alternatives, oldest first. */
export function versionsOf(chat: Chat, message: Message): Message[] {
  return chat.messages.filter((other) => other.parentId === message.parentId && other.role === message.role)
}

/** The end of the newest path through a message: what becomes active when this version is chosen. */
export function newestLeafBelow(chat: Chat, messageId: string): string {
  const child = chat.messages.findLast((message) => message.parentId === messageId)
  return child ? newestLeafBelow(chat, child.id) : messageId
}

/** What the arrow-up key edits. */
export function lastUserMessage(chat: Chat): Message | undefined {
  return shownPath(chat).findLast((message) => message.role === "user")
}
