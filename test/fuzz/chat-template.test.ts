// Chat templates from strangers: each damage renders a text or gives an AppError, in bounded time.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { createTemplate } from "../../main/engine/template.ts"
import type { ChatTurn } from "../../shared/schema/chat.ts"
import { AppError } from "../../shared/schema/error.ts"
import { damageText, pick, type Random, seeded } from "./damage.ts"

const durationMs = 2000
const seed = 20240

const golden: {
  templates: Record<string, { template: string; bos_token: string; eos_token: string }>
  conversations: Record<string, ChatTurn[]>
} = JSON.parse(readFileSync("test/golden/chat-templates/cases.json", "utf8"))
const templates = Object.values(golden.templates)
const conversations = Object.values(golden.conversations)

const fragments = [
  ...["{%", "%}", "{{", "}}", "{#", "#}", "-", "(", ")", "[", "]", "'", '"', "\\", "\\x", "|", ".", "~", "=", " in ", " is ", " not "],
  ...["{% break %}", "{% continue %}", "{% endfor %}", "{% endif %}", "{% else %}", "{% generation %}", "{% raw %}"],
  ...[
    "{% for x in range(99999) %}",
    "{% for m in messages %}",
    "{% set messages = messages + messages %}",
    "{% set bos_token = bos_token ~ bos_token %}",
  ],
  ...[
    "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
    "{{ messages | tojson }}",
    "{{ messages[-9] }}",
    "{{ 1 // 0 }}",
    "{{ 9 ** 99 }}",
  ],
  ...[
    "| first",
    "| join",
    "| tojson(indent=100000)",
    "| indent(1000000)",
    "| sort",
    "| map(attribute='role')",
    "| replace('', 'xx')",
    "[::-1]",
    "[::0]",
  ],
  ...[
    "{{ raise_exception() }}",
    "{{ raise_exception(messages) }}",
    "{{ strftime_now() }}",
    "{{ range }}",
    "{{ range('a') }}",
    "{{ namespace(a=1) }}",
  ],
]

/** A whole fragment behind a tag or filter, so that most of these still parse. */
function grown(random: Random, text: string): string {
  const fragment = pick(random, fragments)
  const places = [...text.matchAll(fragment.startsWith("|") || fragment.startsWith("[") ? / (?=[-]?[%}]})/g : /[%}]}/g)]
  if (places.length === 0) return text + fragment
  const place = pick(random, places)
  const at = place.index + place[0].length
  return text.slice(0, at) + fragment + text.slice(at)
}

test("damaged chat templates", () => {
  const random = seeded(seed)
  const end = performance.now() + durationMs
  const counts = { rendered: 0, refused: 0 }
  for (let round = 0; performance.now() < end; round++) {
    const { template, ...tokens } = pick(random, templates)
    let text = template
    const change = random() < 0.5 ? grown : (by: Random, from: string) => damageText(by, from, fragments)
    for (let i = 0; i < 1 + random() * 2; i++) text = change(random, text)
    const start = performance.now()
    try {
      expect(typeof createTemplate(text, tokens).render(pick(random, conversations), { addGenerationPrompt: random() < 0.5 })).toBe(
        "string",
      )
      counts.rendered++
    } catch (error) {
      if (!(error instanceof AppError))
        throw new Error(`seed ${seed}, round ${round}: ${(error as Error).message}\n${text}`, { cause: error })
      expect(["bad_file", "bad_input"], `seed ${seed}, round ${round}`).toContain(error.code)
      expect(error.message.length).toBeLessThan(1000)
      counts.refused++
    }
    expect(performance.now() - start, `seed ${seed}, round ${round}\n${text}`).toBeLessThan(15_000)
  }
  expect(counts.rendered).toBeGreaterThan(0)
  expect(counts.refused).toBeGreaterThan(0)
}, 60_000)
