import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseSync } from "vite"
import { describe, expect, test } from "vitest"
import { en, zh } from "../../../renderer/lib/locales/locales.ts"
import { ErrorCode } from "../../../shared/schema/error.ts"
import { Format } from "../../../shared/schema/format.ts"
import { JobProgress } from "../../../shared/schema/job.ts"

type Words = { [key: string]: string | Words }

/** Every text by its dotted key. */
function flatten(words: Words, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(words).flatMap(([key, value]) =>
      typeof value === "string" ? [[`${prefix}${key}`, value] as const] : [...flatten(value, `${prefix}${key}.`)],
    ),
  )
}

const base = (key: string) => key.replace(/_(one|other)$/, "")
const bases = (words: Map<string, string>) => new Set([...words.keys()].map(base))
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]!).sort()

const english = flatten(en)
const chinese = flatten(zh)

/** What the parser gives; only what is asked of it here. */
interface Node {
  type: string
  [key: string]: unknown
}
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && typeof (value as Node).type === "string"

function* nodes(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const one of value) yield* nodes(one)
  if (!isNode(value)) return
  yield value
  for (const [key, child] of Object.entries(value)) if (key !== "type") yield* nodes(child)
}

const top = fileURLToPath(new URL("../../../renderer/", import.meta.url))
const sources = globSync("**/*.{ts,tsx}", { cwd: top }).map((path) => {
  const { program, errors } = parseSync(path, readFileSync(top + path, "utf8"))
  if (errors.length) throw new Error(`${path}: ${errors[0]?.message}`)
  return { path, nodes: [...nodes(program)] }
})

/** The keys that an argument of t() can be: texts, or patterns where a part is filled in. */
function keysOf(argument: Node): (string | RegExp)[] {
  if (argument.type === "Literal") return [String(argument.value)]
  if (argument.type === "TSAsExpression") return keysOf(argument.expression as Node)
  if (argument.type === "ConditionalExpression") return [...keysOf(argument.consequent as Node), ...keysOf(argument.alternate as Node)]
  if (argument.type !== "TemplateLiteral") return []
  const parts = (argument.quasis as Node[]).map((quasi) => (quasi.value as { cooked: string }).cooked.replaceAll(".", "\\."))
  return [new RegExp(`^${parts.join("[^.]+")}$`)]
}

function isTranslation({ type, callee }: Node): boolean {
  if (type !== "CallExpression" || !isNode(callee)) return false
  const name = callee.type === "MemberExpression" ? (callee.property as Node).name : callee.name
  return name === "t" || name === "exists"
}

const calls = sources.flatMap(({ path, nodes }) =>
  nodes.filter(isTranslation).map((call) => ({ path, keys: keysOf((call.arguments as Node[])[0]!) })),
)

describe("the words of the page", () => {
  test("English and Chinese have the same keys", () => {
    expect([...bases(chinese)].sort()).toEqual([...bases(english)].sort())
  })

  test("both fill in the same things", () => {
    for (const [key, text] of chinese) {
      const original = english.get(key) ?? english.get(`${base(key)}_other`)
      expect(placeholders(text), key).toEqual(placeholders(original ?? ""))
    }
    for (const key of english.keys())
      if (key.endsWith("_one")) expect(placeholders(english.get(key)!), key).toEqual(placeholders(english.get(`${base(key)}_other`)!))
  })

  test("plural forms are those of each language", () => {
    const plurals = [...bases(english)].filter((key) => english.has(`${key}_one`) || english.has(`${key}_other`))
    expect(plurals.length).toBeGreaterThan(0)
    for (const key of plurals) {
      expect([english.has(`${key}_one`), english.has(`${key}_other`), english.has(key)], key).toEqual([true, true, false])
      expect([chinese.has(`${key}_one`), chinese.has(`${key}_other`), chinese.has(key)], key).toEqual([false, true, false])
    }
  })

  test("no text is empty, exclaims or pleads", () => {
    for (const [key, text] of english) {
      expect(text.trim(), key).not.toBe("")
      expect(text, key).not.toMatch(/!|\bplease\b|\boops\b/i)
    }
    for (const [key, text] of chinese) {
      expect(text.trim(), key).not.toBe("")
      expect(text, key).not.toMatch(/[！!]|抱歉|哎呀/)
    }
  })

  test("every key in the code has words", () => {
    expect(calls.length).toBeGreaterThan(150)
    const known = [...bases(english)]
    for (const { path, keys } of calls) {
      for (const key of keys) {
        const isKnown = typeof key === "string" ? known.includes(key) : known.some((one) => key.test(one))
        expect(isKnown, `${path} uses ${key}`).toBe(true)
      }
    }
  })

  test("every text is used", () => {
    const used = calls.flatMap(({ keys }) => keys)
    const unused = [...bases(english)].filter((key) => !used.some((one) => (typeof one === "string" ? one === key : one.test(key))))
    expect(unused).toEqual([])
  })

  test("what is named after a list of main has a word for each entry", () => {
    const keys = bases(english)
    const wanted = [
      ...ErrorCode.options.flatMap((code) => [`error.${code}.title`, `error.${code}.advice`]),
      ...Format.options.map((format) => `format.${format}.name`),
      ...JobProgress.shape.phase.options.map((phase) => `job.phase.${phase}`),
    ]
    expect(wanted.filter((key) => !keys.has(key))).toEqual([])
  })

  test("no component has words of its own", () => {
    // Names of things that are the same in every language.
    const sameEverywhere = /\b(Nibble|GiB|MiB)\b/g
    const hasWords = (text: unknown) => typeof text === "string" && /\p{L}{2}/u.test(text.replace(sameEverywhere, ""))
    const spoken = /^(title|alt|label|placeholder|description|hint|text|detail|aria-(label|description|valuetext|roledescription))$/
    const wordsIn = (node: unknown): boolean => {
      if (!isNode(node)) return false
      if (node.type === "JSXExpressionContainer") return wordsIn(node.expression)
      if (node.type === "TemplateLiteral")
        return (node.quasis as Node[]).some((quasi) => hasWords((quasi.value as { cooked: string }).cooked))
      return (node.type === "Literal" || node.type === "JSXText") && hasWords(node.value)
    }
    const found = sources.flatMap(({ path, nodes }) =>
      nodes.flatMap((node) => {
        const children = node.type === "JSXElement" || node.type === "JSXFragment" ? (node.children as Node[]).filter(wordsIn) : []
        const isWordy = node.type === "JSXAttribute" && spoken.test(String((node.name as Node).name)) && wordsIn(node.value)
        return [...children, ...(isWordy ? [node.value as Node] : [])].map((one) => `${path}: ${JSON.stringify(one.value ?? one.type)}`)
      }),
    )
    expect(found).toEqual([])
  })
})
