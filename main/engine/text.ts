// Between text and tokens of the loaded model. The template engine comes with the first chat, the tokenizer with the model.
import { AppError } from "../../shared/schema/error.ts"
import type { OpenedModel } from "../models/opened-model.ts"
import type { ChatTemplate } from "./template.ts"
import type { Tokenizer } from "./tokenizer/tokenizer.ts"

export interface ModelText {
  /** Without a tokenizer: it knows tokens only. */
  isTextless: boolean
  /** Throws unsupported for a model without a tokenizer. */
  tokenizer(): Tokenizer
  /** Throws unsupported for a model without a chat template. */
  template(): Promise<ChatTemplate>
}

export async function openText({ name, tokenizer: source }: Pick<OpenedModel, "name" | "tokenizer">): Promise<ModelText> {
  const tokenizer = source ? (await import("./tokenizer/tokenizer.ts")).createTokenizer(source) : null
  // Nothing below may hold the vocabulary as it was read: it is large.
  const { chatTemplate = null, config = {} } = source ?? {}
  let template: Promise<ChatTemplate> | undefined
  return {
    isTextless: tokenizer === null,
    tokenizer() {
      if (tokenizer) return tokenizer
      throw new AppError("unsupported", `${name} has no tokenizer.`, "Add its tokenizer.json to the folder, or give token ids.")
    },
    template() {
      if (!chatTemplate) {
        const hint = "Give the prompt as plain text, or choose a model that was trained to chat."
        throw new AppError("unsupported", `${name} has no chat template.`, hint)
      }
      template ??= openTemplate(chatTemplate, config)
      return template
    },
  }
}

async function openTemplate(text: string, config: Record<string, unknown>): Promise<ChatTemplate> {
  const { createTemplate } = await import("./template.ts")
  return createTemplate(text, config)
}
