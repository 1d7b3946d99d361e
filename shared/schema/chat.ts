// Chats: a tree of messages (a version is a sibling), the sampling that made each reply, and its figures.
import { z } from "zod"

export const Sampling = z.object({
  /** 0 = always the most likely token. */
  temperature: z.number().min(0).max(5).default(0.7),
  /** 1 = off. */
  topP: z.number().gt(0).max(1).default(0.95),
  /** 0 = off. */
  topK: z.int().min(0).max(1_000_000).default(40),
  /** 0 = off. */
  minP: z.number().min(0).max(1).default(0.05),
  /** 1 = off. */
  repeatPenalty: z.number().min(0.1).max(10).default(1),
  /** null = a new one for each reply. */
  seed: z.int().nonnegative().nullable().default(null),
  maxNewTokens: z.int().min(1).max(1_000_000).default(1024),
})
export type Sampling = z.infer<typeof Sampling>

/** What a new chat begins with. Small models quantized to 4 bits repeat themselves without end where nothing holds them back. */
export const chatSampling: Sampling = Sampling.parse({ repeatPenalty: 1.1 })

/** What happens when the conversation does not fit the context. */
export const Overflow = z.enum(["drop-oldest", "stop"])
export type Overflow = z.infer<typeof Overflow>

export const Role = z.enum(["system", "user", "assistant"])
export const ChatTurn = z.object({ role: Role, content: z.string() })
export type ChatTurn = z.infer<typeof ChatTurn>

export const StopReason = z.enum(["end", "stop_string", "max_new_tokens", "context_full", "cancelled"])
export type StopReason = z.infer<typeof StopReason>

export const ReplyStats = z.object({
  tokens: z.int(),
  promptTokens: z.int(),
  cachedTokens: z.int(),
  decodeTokensPerS: z.number(),
  prefillTokensPerS: z.number(),
  timeToFirstTokenMs: z.number(),
  seed: z.number(),
  /** Oldest messages left out because the context was full. */
  droppedMessages: z.int(),
})
export type ReplyStats = z.infer<typeof ReplyStats>

export const Message = z.object({
  id: z.string(),
  chatId: z.string(),
  parentId: z.string().nullable(),
  role: z.enum(["user", "assistant"]),
  text: z.string(),
  /** "failed": `error` says why and the text is what there was. */
  state: z.enum(["streaming", "done", "stopped", "failed"]),
  stopReason: StopReason.nullable(),
  stats: ReplyStats.nullable(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).nullable(),
  /** Name and format of the model that wrote it. */
  model: z.string().nullable(),
  createdAt: z.number(),
})
export type Message = z.infer<typeof Message>

export const ChatSummary = z.object({
  id: z.string(),
  title: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
})
export type ChatSummary = z.infer<typeof ChatSummary>

export const Chat = ChatSummary.extend({
  system: z.string(),
  sampling: Sampling,
  overflow: Overflow,
  /** All messages of the tree, oldest first; the shown path runs from activeLeafId to the root. */
  messages: z.array(Message),
  activeLeafId: z.string().nullable(),
})
export type Chat = z.infer<typeof Chat>

export const SearchHit = z.object({ chatId: z.string(), title: z.string(), messageId: z.string(), snippet: z.string() })
export type SearchHit = z.infer<typeof SearchHit>
