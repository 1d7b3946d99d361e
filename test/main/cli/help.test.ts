// Every command explains itself, and offers only what works.
import { describe, expect, it } from "vitest"
import { commands } from "../../../main/cli/commands.ts"
import { commandHelp, overview } from "../../../main/cli/help.ts"
import { commonOptions } from "../../../main/cli/options.ts"

describe.each(commands)("$name", ({ name, summary, load }) => {
  it("is declared under the name and summary that the overview shows", async () => {
    const command = await load()
    expect([command.name, command.summary]).toEqual([name, summary])
    expect(overview(commands)).toContain(summary)
  })

  it("has help with its options and examples of itself", async () => {
    const command = await load()
    const help = commandHelp(command)
    for (const option of Object.keys({ ...command.options, ...commonOptions })) expect(help).toContain(`--${option}`)
    expect(command.examples.length).toBeGreaterThan(0)
    for (const example of command.examples) expect(example).toMatch(new RegExp(`^${name}( |$)`))
    for (const line of help.split("\n")) expect(line.length, line).toBeLessThanOrEqual(220)
  })

  it("does not offer what later issues bring", async () => {
    const later = ["adapter", "effort", "device", "device-map", "calibration", ...(name === "plan" ? [] : ["max-memory"])]
    expect(Object.keys((await load()).options).filter((option) => later.includes(option))).toEqual([])
  })
})

it("examples are valid command lines", async () => {
  const { parseOptions, requireOptions } = await import("../../../main/cli/options.ts")
  for (const { name, load } of commands) {
    const command = await load()
    for (const example of command.examples) {
      const words = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "").slice(name.split(" ").length)
      const list = { ...command.options, ...commonOptions }
      const { values, positionals } = parseOptions(list, words)
      requireOptions(list, values)
      expect(positionals.length, example).toBe(command.positionals.length)
    }
  }
})
