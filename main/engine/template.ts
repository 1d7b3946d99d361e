// Chat templates: turns to the prompt text that the model was trained on, as transformers' apply_chat_template renders them.
//
// A template is a program from a stranger. It is interpreted by @huggingface/jinja, never compiled to JavaScript, and reaches
// nothing but the values given here. Its steps, its texts and lists, and its time are limited. The interpreter is used from below
// `Template.render`, because that declares raise_exception, range and strftime_now itself and refuses other ones by these names:
// its range has no limit, its clock speaks the system's language, and its exceptions cannot be told from its own errors.
// Known differences from Python's Jinja: booleans print as true and false, none as nothing.
import { Environment, Interpreter, Template as ParsedTemplate } from "@huggingface/jinja"
import type { ChatTurn } from "../../shared/schema/chat.ts"
import { AppError } from "../../shared/schema/error.ts"
import { strftime } from "./template-clock.ts"
import { withTimeLimit } from "./time-limit.ts"

export interface ChatTemplate {
  /** Throws bad_input with the template's own words when it refuses the chat. */
  render(turns: ChatTurn[], options: { addGenerationPrompt: boolean; now?: Date }): string
}

// The longest published templates have some 50 000 characters and take a few hundred steps per turn.
const maxTemplateLength = 2 ** 18
const maxSteps = 2_000_000
const maxTextLength = 2 ** 24
const maxListLength = 2 ** 20
const maxRange = 100_000
const limitMs = 3000

class Refusal extends Error {}

type Evaluated = ReturnType<Interpreter["evaluate"]>

class LimitedInterpreter extends Interpreter {
  #steps = 0

  override evaluate(...args: Parameters<Interpreter["evaluate"]>): Evaluated {
    if (++this.#steps > maxSteps) throw new Error(`it takes more than ${maxSteps} steps`)
    const result: Evaluated | undefined = super.evaluate(...args)
    const content: unknown = result?.value
    if (typeof content === "string" && content.length > maxTextLength) throw new Error(`it makes a text of ${content.length} characters`)
    if (Array.isArray(content) && content.length > maxListLength) throw new Error(`it makes a list of ${content.length} entries`)
    return result as Evaluated
  }
}

/**
 * `tokens`: the named tokens that the template may write (bos_token, eos_token, …), each as text or as an object with `content`,
 * as tokenizer_config.json has them; other entries are not passed on.
 */
export function createTemplate(text: string, tokens: Record<string, unknown> = {}): ChatTemplate {
  if (text.length > maxTemplateLength) throw broken(`it has ${text.length} characters, more than ${maxTemplateLength}`)
  const { parsed } = limited(() => new ParsedTemplate(text))
  const named = namedTokens(tokens)
  return {
    render(turns, { addGenerationPrompt, now = new Date() }) {
      if (turns.length === 0) throw new AppError("bad_input", "The chat has no message.", "Write one.")
      const values = {
        ...named,
        messages: turns.map(({ role, content }) => ({ role, content })),
        tools: null,
        documents: null,
        add_generation_prompt: addGenerationPrompt,
      }
      try {
        return limited(() => textOf(new LimitedInterpreter(environment(values, now)).run(parsed)))
      } catch (error) {
        throw error instanceof Refusal ? refused(error.message, turns) : error
      }
    },
  }
}

function environment(values: Record<string, unknown>, now: Date): Environment {
  const scope = new Environment()
  const all: Record<string, unknown> = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    raise_exception(message: unknown) {
      throw new Refusal(typeof message === "string" ? message : "it gives no reason")
    },
    strftime_now(format: unknown) {
      if (typeof format !== "string") throw new Error("strftime_now needs a format")
      return strftime(now, format)
    },
    range,
    ...values,
  }
  for (const [name, value] of Object.entries(all)) scope.set(name, value)
  return scope
}

function range(first: unknown, second?: unknown, third: unknown = 1): number[] {
  const [start, stop, step] = second === undefined ? [0, first, third] : [first, second, third]
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(stop) || !Number.isSafeInteger(step) || step === 0) {
    throw new Error("range needs whole numbers and a step that is not 0")
  }
  const length = Math.max(0, Math.ceil(((stop as number) - (start as number)) / (step as number)))
  if (length > maxRange) throw new Error(`it asks for a range of ${length} numbers, more than ${maxRange}`)
  return Array.from({ length }, (_, i) => (start as number) + i * (step as number))
}

function textOf(result: Evaluated): string {
  return typeof result.value === "string" ? result.value : ""
}

function namedTokens(tokens: Record<string, unknown>): Record<string, string> {
  const named: Record<string, string> = {}
  for (const [name, token] of Object.entries(tokens)) {
    if (!name.endsWith("_token")) continue
    const text = typeof token === "object" && token !== null ? (token as { content?: unknown }).content : token
    if (typeof text === "string") named[name] = text
  }
  return named
}

function limited<T>(work: () => T): T {
  try {
    return withTimeLimit(limitMs, work, () => new Error(`it takes more than ${limitMs / 1000} s`))
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw broken((error as Error).message || "a statement stands where it has no meaning", error)
  }
}

function broken(detail: string, cause?: unknown): AppError {
  const hint = "Get the model's files again, or give the prompt as plain text."
  return new AppError("bad_file", `The model's chat template cannot be used: ${detail.slice(0, 500)}`, hint, { cause })
}

/** The template's own words, and what in this chat it may be about. */
function refused(message: string, turns: ChatTurn[]): AppError {
  const spoken = turns.filter((turn) => turn.role !== "system")
  const isAlternating = spoken.every((turn, i) => turn.role === (i % 2 === 0 ? "user" : "assistant"))
  const hasSystem = turns.length > spoken.length
  const hint = !isAlternating
    ? "This model wants user and assistant to take turns, the user first. Remove the message that breaks the order."
    : hasSystem
      ? "This model may not know a system prompt. Clear the system prompt."
      : "Change the chat as the message says."
  return new AppError("bad_input", `The model's chat template refuses this chat: ${message.slice(0, 500)}`, hint)
}
