// From words to a command that runs.
import type { Command, CommandContext } from "./command.ts"
import { commands, type Listing } from "./commands.ts"
import { commandHelp, groupHelp, overview } from "./help.ts"
import { nearest } from "./nearest.ts"
import { type CommonValues, commonOptions, parseOptions, requireOptions } from "./options.ts"
import { createOutput } from "./output.ts"
import { UsageError } from "./usage-error.ts"

/** The command that the words begin with, and the words after it; or a text that answers instead. */
function findCommand(args: string[]): { listing: Listing; rest: string[] } | { text: string } {
  const [first, second] = args
  if (first === undefined || first === "--help" || first === "-h" || first === "help") return { text: overview(commands) }
  const group = commands.filter(({ name }) => name.startsWith(`${first} `))
  if (group.length > 0) {
    if (second === "--help" || second === "-h") return { text: groupHelp(first, group) }
    const listing = group.find(({ name }) => name === `${first} ${second}`)
    if (listing) return { listing, rest: args.slice(2) }
    const seconds = group.map(({ name }) => name.slice(first.length + 1))
    if (second === undefined || second.startsWith("-"))
      throw new UsageError(`${first} needs a command.`, `There are: ${seconds.join(", ")}.`)
    throw unknownCommand(`${first} ${second}`, second, seconds)
  }
  const listing = commands.find(({ name }) => name === first)
  if (listing) return { listing, rest: args.slice(1) }
  throw unknownCommand(first, first, [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? name))])
}

function unknownCommand(given: string, word: string, words: string[]): UsageError {
  const guess = nearest(word, words)
  return new UsageError(`There is no command "${given}".`, guess ? `Did you mean ${guess}?` : `There are: ${words.join(", ")}.`)
}

function checkPositionals({ name, positionals }: Command, given: string[]): void {
  const missing = positionals[given.length]
  if (missing) throw new UsageError(`${missing} is missing.`, `See: nibble ${name} --help`)
  const extra = given[positionals.length]
  if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many.`, `See: nibble ${name} --help`)
}

/** Throws UsageError for words that mean nothing, and what the command throws. */
export async function runCommand(args: string[], signal: AbortSignal): Promise<void> {
  if (args[0] === "--version") {
    process.stdout.write(`nibble ${(await import("../version.ts")).version}\n`)
    return
  }
  const found = findCommand(args)
  if ("text" in found) {
    process.stdout.write(found.text)
    return
  }
  const command = await found.listing.load()
  if (found.rest.includes("--help") || found.rest.includes("-h")) {
    process.stdout.write(commandHelp(command))
    return
  }
  const list = { ...command.options, ...commonOptions }
  const { values, positionals } = parseOptions(list, found.rest)
  checkPositionals(command, positionals)
  requireOptions(list, values)
  const common = values as CommonValues
  const output = createOutput(common, { out: process.stdout, error: process.stderr })
  const context: CommandContext = { output, signal }
  const result = await command.run(values as CommonValues, positionals, context)
  if (common.json && result) process.stdout.write(`${JSON.stringify(result)}\n`)
}
