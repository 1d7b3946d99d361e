// Options as each command declares them: one list from which parsing, checking, help and the types of the values follow.
import { parseArgs } from "node:util"
import { nearest } from "./nearest.ts"
import { UsageError } from "./usage-error.ts"

interface Shared {
  help: string
  /** What the value is called in the help: "TEXT", "N". */
  value?: string
  /** One letter. */
  short?: string
  isRequired?: boolean
}
export type Option =
  | (Shared & { type: "flag" })
  | (Shared & { type: "text" | "texts" | "words" | "ids" })
  | (Shared & { type: "integer" | "number"; min?: number; max?: number })
  | (Shared & { type: "choice"; choices: readonly string[] })
export type OptionList = Record<string, Option>

type ValueOf<O extends Option> = O extends { type: "flag" }
  ? boolean
  : O extends { type: "texts" }
    ? string[]
    : O extends { type: "words" }
      ? string[] | undefined
      : O extends { type: "ids" }
        ? number[] | undefined
        : O extends { type: "integer" | "number" }
          ? number | undefined
          : O extends { type: "choice"; choices: readonly (infer C)[] }
            ? C | undefined
            : string | undefined
export type Values<L extends OptionList> = { [K in keyof L]: ValueOf<L[K]> }

/** Present in every command. */
export const commonOptions = {
  json: { type: "flag", help: "One JSON object on standard output and nothing else there" },
  quiet: { type: "flag", short: "q", help: "No progress and no remarks" },
  verbose: { type: "flag", short: "v", help: "Say more; show where an error came from" },
  help: { type: "flag", short: "h", help: "This text" },
} as const satisfies OptionList
export type CommonValues = Values<typeof commonOptions>

export interface Parsed<L extends OptionList> {
  values: Values<L>
  positionals: string[]
}

/** Throws UsageError. `isHelp`: only look whether help is wanted, required options may be missing. */
export function parseOptions<L extends OptionList>(list: L, args: string[]): Parsed<L> {
  const config = Object.fromEntries(
    Object.entries(list).map(([name, { type, short }]) => [
      name,
      { type: type === "flag" ? ("boolean" as const) : ("string" as const), ...(short ? { short } : {}) },
    ]),
  )
  const { tokens } = parseArgs({ args, options: config, strict: false, allowPositionals: true, tokens: true })
  const values = new Map<string, unknown>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value)
    if (token.kind !== "option") continue
    const option = Object.hasOwn(list, token.name) ? list[token.name] : undefined
    if (!option) throw unknownOption(token.rawName, list)
    const text = valueText(token, option)
    if (option.type === "texts") values.set(token.name, [...((values.get(token.name) as string[]) ?? []), text])
    else if (values.has(token.name) && option.type !== "flag") throw new UsageError(`${token.rawName} is given twice.`)
    else values.set(token.name, option.type === "flag" ? true : read(option, `--${token.name}`, text))
  }
  for (const [name, option] of Object.entries(list)) {
    if (values.has(name)) continue
    if (option.type === "flag") values.set(name, false)
    if (option.type === "texts") values.set(name, [])
  }
  return { values: Object.fromEntries(values) as Values<L>, positionals }
}

export function requireOptions(list: OptionList, values: Record<string, unknown>): void {
  const missing = Object.entries(list).find(([name, { isRequired }]) => isRequired && values[name] === undefined)
  if (missing) throw new UsageError(`--${missing[0]} is missing.`, `Add --${missing[0]} ${missing[1].value ?? "VALUE"}.`)
}

function unknownOption(rawName: string, list: OptionList): UsageError {
  const names = Object.keys(list).map((name) => `--${name}`)
  const guess = nearest(rawName, names)
  return new UsageError(`There is no option ${rawName}.`, guess ? `Did you mean ${guess}?` : `There are: ${names.join(", ")}.`)
}

function valueText(token: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined }, option: Option): string {
  const { rawName, value, inlineValue } = token
  if (option.type === "flag") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value, and was given "${value}".`)
    return ""
  }
  // "--prompt --json" is a forgotten value more often than a prompt; the other spelling can say that it is one.
  if (value === undefined || (!inlineValue && /^--[a-z]/.test(value)))
    throw new UsageError(`${rawName} needs a value.`, `Write ${rawName} ${option.value ?? "VALUE"}, or ${rawName}=VALUE.`)
  return value
}

function read(option: Option, name: string, text: string): unknown {
  switch (option.type) {
    case "choice":
      return readChoice(option.choices, name, text)
    case "integer":
    case "number":
      return readNumber(option, name, text)
    case "words":
      return text
        .split(",")
        .map((word) => word.trim())
        .filter((word) => word !== "")
    case "ids":
      return readIds(name, text)
    default:
      return text
  }
}

function readChoice(choices: readonly string[], name: string, text: string): string {
  if (choices.includes(text)) return text
  const guess = nearest(text, choices)
  throw new UsageError(
    `${name} cannot be "${text}".`,
    guess ? `Did you mean ${guess}? There are: ${choices.join(", ")}.` : `There are: ${choices.join(", ")}.`,
  )
}

function readNumber(option: Extract<Option, { type: "integer" | "number" }>, name: string, text: string): number {
  const { type, min = Number.NEGATIVE_INFINITY, max = Number.MAX_SAFE_INTEGER } = option
  const form = type === "integer" ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
  const value = Number(text)
  if (!form.test(text) || !Number.isFinite(value))
    throw new UsageError(`${name} needs ${type === "integer" ? "a whole number" : "a number"}, not "${text}".`)
  if (value < min || value > max) {
    const range = option.max === undefined ? `at least ${min}` : `from ${min} to ${max}`
    throw new UsageError(`${name} must be ${range}, not ${text}.`)
  }
  return value
}

const largestId = 2 ** 31 - 1

function readIds(name: string, text: string): number[] {
  const ids = text.split(",").map((part) => part.trim())
  const wrong = ids.find((id) => !/^\d+$/.test(id) || Number(id) > largestId)
  if (wrong !== undefined) throw new UsageError(`${name} needs token ids like 1,2,3; "${wrong}" is none.`)
  return ids.map(Number)
}
