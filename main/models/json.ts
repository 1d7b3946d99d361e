// JSON from strangers: nesting is bounded, and where two readers could see different things (a key given twice) it is refused.
import type { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint } from "./bounded-file.ts"

const maxDepth = 64
// Four to a tensor, one to a token: what half a million tensors need.
const maxKeys = 1 << 21

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
  // The keys of each open object; null until there is one.
  const levels: (Set<string> | null)[] = []
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const mark = text.charCodeAt(at)
    if (mark === openBrace || mark === openBracket) {
      if (levels.push(null) > maxDepth) throw new AppError("bad_file", `${what} is nested deeper than ${maxDepth} levels.`)
    } else if (mark === closeBrace || mark === closeBracket) levels.pop()
    else if (mark === quote) {
      const end = endOfString(text, at)
      if (end < 0) return
      if (isKey(text, end) && levels.length > 0) {
        if (++count > maxKeys) throw new AppError("bad_file", `${what} has more than ${maxKeys} keys.`)
        if (!allowsDuplicates) levels[levels.length - 1] = withKey(levels.at(-1) ?? new Set(), text.slice(at, end), what)
      }
      at = end - 1
    }
  }
}

const [openBrace, closeBrace, openBracket, closeBracket, quote, backslash] = [0x7b, 0x7d, 0x5b, 0x5d, 0x22, 0x5c]

function withKey(keys: Set<string>, key: string, what: string): Set<string> {
  const plain = key.includes("\\") ? unescaped(key) : key
  if (keys.has(plain)) throw new AppError("bad_file", `${what} gives ${plain.slice(0, 200)} twice.`, damagedHint)
  return keys.add(plain)
}

/** Index after the closing quote; -1 where there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes++
    if (backslashes % 2 === 0) return end + 1
  }
  return -1
}

function isKey(text: string, end: number): boolean {
  let at = end
  while (" \n\t\r".includes(text.charAt(at)) && at < text.length) at++
  return text.charAt(at) === ":"
}

function unescaped(key: string): string {
  try {
    return `"${JSON.parse(key)}"`
  } catch {
    return key
  }
}
