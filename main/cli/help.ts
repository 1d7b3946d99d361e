// Help texts, from the declarations.
import type { Command } from "./command.ts"
import { commonOptions, type Option } from "./options.ts"

const program = "nibble"

export interface Listed {
  name: string
  summary: string
}

export function overview(commands: readonly Listed[]): string {
  return `Runs and quantizes language models in bitsandbytes' own formats.

Usage: ${program} COMMAND …

Commands:
${table(commands.map(({ name, summary }) => [name, summary]))}

${program} COMMAND --help tells the options of one, with examples. --version tells the version.

Exit codes: 0 done · 1 failed · 2 wrong usage · 130 cancelled
Environment: NIBBLE_HOME (data folder), HF_ENDPOINT, HF_TOKEN, the usual proxy variables, ENGINE_ISA
`
}

export function groupHelp(group: string, commands: readonly Listed[]): string {
  return `Usage: ${program} ${group} COMMAND …

Commands:
${table(commands.map(({ name, summary }) => [name, summary]))}
`
}

export function commandHelp(command: Command): string {
  const { name, summary, positionals, options, examples, notes = [] } = command
  const required = Object.entries(options).filter(([, { isRequired }]) => isRequired)
  const usage = [program, name, ...positionals, ...required.map(([option, { value }]) => `--${option} ${value}`), "[options]"].join(" ")
  const own = Object.entries(options).length > 0 ? `\nOptions:\n${optionTable(options)}\n` : ""
  const more = notes.length > 0 ? `\n${notes.join("\n\n")}\n` : ""
  return `${summary}.

Usage: ${usage}
${own}
Also:
${optionTable(commonOptions)}
${more}
Examples:
${examples.map((example) => `  ${program} ${example}`).join("\n")}
`
}

function optionTable(options: Record<string, Option>): string {
  return table(
    Object.entries(options).map(([name, option]) => {
      const { short, help, type, value = "VALUE" } = option
      return [`${short ? `-${short}, ` : ""}--${name}${type === "flag" ? "" : ` ${value}`}`, help + choicesOf(option)]
    }),
  )
}

const choicesOf = (option: Option): string => (option.type === "choice" ? `: ${option.choices.join(", ")}` : "")

const widest = 30

function table(rows: [string, string][]): string {
  const width = Math.min(widest, Math.max(...rows.map(([left]) => left.length)))
  return rows
    .map(([left, right]) => `  ${left.length > width ? `${left}\n  ${"".padEnd(width)}` : left.padEnd(width)}  ${right}`)
    .join("\n")
}
