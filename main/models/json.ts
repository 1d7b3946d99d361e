// JSON from strangers: nesting is bounded, and where two readers could see different things (a key given twice) it is refused.
import type { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint } from "./bounded-file.ts"

const maxDepth = 64

/** `what` begins the message. `allowsDuplicates`: of tokenizers, whose vocabularies are large and read by others the same way. */
export function parseJson(text: string, what: string, options: { allowsDuplicates?: boolean } = {}): unknown {
  checkNesting(text, what, options.allowsDuplicates ?? false)
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw new AppError("bad_file", `${what} is not valid JSON: ${(thrown as Error).message.slice(0, 200)}`, damagedHint, { cause: thrown })
  }
}

/** An object, parsed and checked. */
export function parseJsonObject(text: string, what: string, options: { allowsDuplicates?: boolean } = {}): Record<string, unknown> {
  const value = parseJson(text, what, options)
  if (!isObject(value)) throw new AppError("bad_file", `${what} is not a JSON object.`, damagedHint)
  return value
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** What zod has to say, as one bad_file sentence that begins with `what`. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0] as z.core.$ZodIssue
  const at = path.join(".")
  const found = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value)
  if (found === undefined && at) throw new AppError("bad_file", `${what} lacks ${at}.`)
  const shown = typeof found === "object" ? "" : ` is ${String(found).slice(0, 60)}`
  throw new AppError("bad_file", `${what}: ${at}${shown}: ${message}.`)
}

/** One pass over the text before it is parsed; what is not JSON at all is left to JSON.parse. */
function checkNesting(text: string, what: string, allowsDuplicates: boolean): void {
  const keys: Set<string>[] = []
  const marks = /["{}[\]]/g
  for (let mark = marks.exec(text); mark; mark = marks.exec(text)) {
    if (mark[0] === "{" || mark[0] === "[") {
      if (keys.push(new Set()) > maxDepth) throw new AppError("bad_file", `${what} is nested deeper than ${maxDepth} levels.`)
    } else if (mark[0] === '"') {
      const end = endOfString(text, mark.index)
      if (end < 0) return
      marks.lastIndex = end
      if (allowsDuplicates || !isKey(text, end)) continue
      const key = text.slice(mark.index, end)
      const plain = key.includes("\\") ? unescaped(key) : key
      if (keys.at(-1)?.has(plain)) throw new AppError("bad_file", `${what} gives ${plain.slice(0, 200)} twice.`, damagedHint)
      keys.at(-1)?.add(plain)
    } else keys.pop()
  }
}

/** Index after the closing quote; -1 where there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text[end - 1 - backslashes] === "\\") backslashes++
    if (backslashes % 2 === 0) return end + 1
  }
  return -1
}

function isKey(text: string, end: number): boolean {
  let at = end
  while (text[at] === " " || text[at] === "\n" || text[at] === "\t" || text[at] === "\r") at++
  return text[at] === ":"
}

function unescaped(key: string): string {
  try {
    return `"${JSON.parse(key)}"`
  } catch {
    return key
  }
}
