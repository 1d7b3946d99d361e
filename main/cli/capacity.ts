// nibble capacity: what this computer, or another, can run.
import { bytes } from "../sizes.ts"
import { defineCommand } from "./command.ts"
import { verdicts } from "./plan-text.ts"
import { columns, parameters } from "./quantities.ts"
import { unused, withApp } from "./with-app.ts"

const usualContext = 8192

export const capacity = defineCommand({
  name: "capacity",
  summary: "What this computer can run: known models of many sizes in each format",
  positionals: [],
  options: {
    computer: { type: "text", value: "NAME", help: "Another computer: rtx-3060-12, laptop-16 … (a wrong name lists them)" },
    context: {
      type: "integer",
      value: "N",
      min: 1,
      max: 2 ** 24,
      help: `Tokens of a chat (default ${usualContext}, at most the model's own)`,
    },
  },
  examples: ["capacity", "capacity --computer rtx-3060-12 --context 32768", "capacity --json"],
  notes: ["Computed as nibble plan does. This computer is taken as it is now: what other programs use counts."],
  async run(values, _, context) {
    return withApp(context, async (app) => {
      const wish = { context: values.context ?? usualContext, ...(values.computer === undefined ? {} : { computer: values.computer }) }
      const table = await app.handlers["plan.capacity"](wish, { ...unused, signal: context.signal })
      const rows = table.models.map(({ name, parameters: count, cells }) => [
        name,
        parameters(count),
        ...cells.flatMap((cell) => [bytes(cell.total_bytes), verdicts[cell.verdict]]),
      ])
      const head = ["model", "parameters", ...table.formats.flatMap((format) => [format, ""])]
      context.output.line(columns([head, ...rows], [1, ...table.formats.map((_, index) => 2 + 2 * index)]))
      return table
    })
  },
})
