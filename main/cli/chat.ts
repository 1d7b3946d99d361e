// nibble chat: a conversation in the terminal, or line by line from a pipe.
import { createInterface } from "node:readline"
import { toErrorData } from "../../shared/schema/error.ts"
import { type CommandContext, defineCommand } from "./command.ts"
import { figures } from "./generate.ts"
import { contextOption, loadOptions } from "./load-options.ts"
import { samplingOf, samplingOptions } from "./sampling-options.ts"
import { type EngineClient, withModel } from "./with-engine.ts"

interface Turn {
  role: "system" | "user" | "assistant"
  content: string
}

const helpText = `/help   this text
/reset  forget the conversation
/quit   end (also Ctrl+D)
Ctrl+C  stop the reply; without one, end
A message that begins with a slash is written with two.`

export const chat = defineCommand({
  name: "chat",
  summary: "A conversation in the terminal",
  positionals: ["MODEL"],
  options: {
    system: { type: "text", value: "TEXT", help: "System prompt" },
    ...samplingOptions,
    ...contextOption,
    ...loadOptions,
  },
  examples: [
    "chat SmolLM2-135M-Instruct-nf4-dq",
    'chat ./SmolLM2-135M-Instruct --quantize nf4 --system "You answer in one sentence." --temperature 0.3',
  ],
  notes: [
    helpText,
    "From a pipe each line is a message. With --json nothing is shown meanwhile, and the whole conversation is printed at the end.",
    "When the context is full, the oldest messages are left out.",
  ],
  async run(values, [reference = ""], context) {
    const system: Turn[] = values.system === undefined ? [] : [{ role: "system", content: values.system }]
    return withModel(reference, values, context, async (client, model) => {
      if (!model.hasChatTemplate) {
        const { AppError } = await import("../../shared/schema/error.ts")
        const hint = "Use nibble generate --prompt, or choose a model that was trained to chat."
        throw new AppError("unsupported", `${model.name} has no chat template.`, hint)
      }
      const { chatSampling } = await import("../../shared/schema/chat.ts")
      const options = { sampling: { ...chatSampling, ...samplingOf(values) }, stop: values.stop }
      return { turns: await converse(client, options, system, `${model.name}, ${model.format}. /help tells the commands.`, context) }
    })
  },
})

interface ReplyOptions {
  sampling: ReturnType<typeof samplingOf>
  stop: string[]
}

async function converse(
  client: EngineClient,
  options: ReplyOptions,
  system: Turn[],
  welcome: string,
  context: CommandContext,
): Promise<Turn[]> {
  const { output, signal } = context
  const isTerminal = process.stdin.isTTY === true
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: isTerminal, prompt: "> " })
  let reply: AbortController | null = null
  // On a terminal Ctrl+C comes as a key; from elsewhere as the signal that the context carries.
  lines.on("SIGINT", () => (reply ? reply.abort() : lines.close()))
  const end = () => {
    reply?.abort()
    lines.close()
  }
  signal.addEventListener("abort", end)

  let turns = [...system]
  const ask = () => {
    if (isTerminal) lines.prompt()
  }
  if (isTerminal) output.say(welcome)
  try {
    ask()
    for await (const line of lines) {
      if (signal.aborted) break
      const text = line.trim()
      const command = /^\/(?!\/)/.test(text) ? text : null
      if (command === "/quit" || command === "/exit") break
      if (command === "/reset") {
        turns = [...system]
        output.say("The conversation is forgotten.")
      } else if (command === "/help") output.say(helpText)
      else if (command) output.say(`There is no ${command}. /help tells what there is.`)
      else if (text) {
        const asked: Turn[] = [...turns, { role: "user", content: text.replace(/^\/\//, "/") }]
        reply = new AbortController()
        const answer = await answerTo(client, asked, options, reply.signal, context)
        reply = null
        if (answer !== null) turns = [...asked, { role: "assistant", content: answer }]
      }
      ask()
    }
  } finally {
    signal.removeEventListener("abort", end)
    lines.close()
  }
  if (signal.aborted) throw Object.assign(new Error("cancelled"), { code: "cancelled" })
  return turns
}

/** The reply, also a stopped one; null when the message could not be answered and does not count. */
async function answerTo(
  client: EngineClient,
  turns: Turn[],
  { sampling, stop }: ReplyOptions,
  signal: AbortSignal,
  { output }: CommandContext,
): Promise<string | null> {
  try {
    const prompt = { kind: "chat" as const, turns, overflow: "drop-oldest" as const }
    const result = await client["model.generate"]({ prompt, sampling, stop }, ({ text }) => output.write(text), signal)
    output.line()
    const dropped = result.droppedMessages > 0 ? ` · the oldest ${result.droppedMessages} messages did not fit` : ""
    output.say(`${figures(result)}${result.stopReason === "cancelled" ? " · stopped" : ""}${dropped}`)
    return result.text
  } catch (thrown) {
    const { code, message, hint } = toErrorData(thrown)
    if (code === "cancelled") return null
    if (code !== "bad_input") throw thrown
    output.warn(`${message}${hint ? `\n${hint}` : ""}`)
    return null
  }
}
