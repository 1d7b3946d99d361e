// Pieces of text arrive up to thirty times a second: they are gathered outside the store and put into it once per frame.
import type { ChatEvent } from "../../../shared/contract/app.ts"
import { chat, replyChanged } from "./state.ts"

type TextEvent = Extract<ChatEvent, { type: "text" }>

const waiting = new Map<string, TextEvent>()
let frame = 0

export function takeText(chatId: string, event: TextEvent): void {
  const before = waiting.get(chatId)
  waiting.set(chatId, before ? { ...event, text: before.text + event.text } : event)
  frame ||= requestAnimationFrame(flushText)
}

/** Also called before anything else about a reply is stored, so that the order stays. A page that is not looked at has no frames. */
export function flushText(): void {
  cancelAnimationFrame(frame)
  frame = 0
  for (const [chatId, event] of waiting) chat.update((part) => replyChanged(part, chatId, event))
  waiting.clear()
}
