// Records of chats as main sends them, for the tests of the page.
import { type Chat, type Message, Sampling } from "../../../../shared/schema/chat.ts"

export function makeMessage(id: string, parentId: string | null, role: Message["role"], more: Partial<Message> = {}): Message {
  return {
    id,
    chatId: "c1",
    parentId,
    role,
    text: "",
    state: "done",
    stopReason: null,
    stats: null,
    error: null,
    model: null,
    createdAt: 0,
    ...more,
  }
}

export function makeChat(messages: Message[], activeLeafId: string | null, more: Partial<Chat> = {}): Chat {
  return {
    id: "c1",
    title: "A chat",
    createdAt: 0,
    updatedAt: 0,
    system: "",
    sampling: Sampling.parse({}),
    overflow: "drop-oldest",
    messages,
    activeLeafId,
    ...more,
  }
}
