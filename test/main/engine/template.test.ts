import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { createTemplate } from "../../../main/engine/template.ts"
import { strftime } from "../../../main/engine/template-clock.ts"
import type { ChatTurn } from "../../../shared/schema/chat.ts"
import { AppError } from "../../../shared/schema/error.ts"

interface Case {
  template: string
  conversation: string
  add_generation_prompt: boolean
  rendered?: string
  error?: string
}

const golden: {
  templates: Record<string, { template: string; bos_token: string; eos_token: string }>
  conversations: Record<string, ChatTurn[]>
  cases: Case[]
} = JSON.parse(readFileSync("test/golden/chat-templates/cases.json", "utf8"))

const starter: { chat_template: string; chat_cases: Case[]; prompts: { question: string; prompt: string }[] } = JSON.parse(
  readFileSync("test/golden/smollm2.json", "utf8"),
)

const user: ChatTurn[] = [{ role: "user", content: "Hi" }]
const prompt = { addGenerationPrompt: true }

function thrownBy(work: () => unknown): AppError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error("nothing was thrown")
}

function check(template: ReturnType<typeof createTemplate>, each: Case): void {
  const options = { addGenerationPrompt: each.add_generation_prompt }
  const render = () => template.render(golden.conversations[each.conversation]!, options)
  const name = `${each.conversation}, ${each.add_generation_prompt}`
  if (each.error === undefined) {
    expect(render(), name).toBe(each.rendered)
    return
  }
  const error = thrownBy(render)
  expect(error.code, name).toBe("bad_input")
  expect(error.message, name).toBe(`The model's chat template refuses this chat: ${each.error}`)
}

describe("renders as transformers does", () => {
  test.each(Object.keys(golden.templates))("%s", (name) => {
    const { template, ...tokens } = golden.templates[name]!
    const cases = golden.cases.filter((each) => each.template === name)
    expect(cases.length).toBeGreaterThan(20)
    for (const each of cases) check(createTemplate(template, tokens), each)
  })

  test("the starter model's own template", () => {
    const template = createTemplate(starter.chat_template, {})
    for (const each of starter.chat_cases) check(template, each)
    for (const { question, prompt: expected } of starter.prompts) {
      expect(template.render([{ role: "user", content: question }], prompt)).toBe(expected)
    }
  })
})

describe("what the template may use", () => {
  const render = (text: string, tokens: Record<string, unknown> = {}, now?: Date) =>
    createTemplate(text, tokens).render(user, now ? { ...prompt, now } : prompt)

  test("named tokens as text or with content, and nothing else of the settings", () => {
    const tokens = { bos_token: "<s>", eos_token: { content: "</s>" }, add_bos_token: true, model_max_length: 5, pad_token: null }
    expect(render("{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}{{ model_max_length is defined }}", tokens)).toBe(
      "<s></s>falsefalse",
    )
  })

  test("the given time, in English", () => {
    expect(render("{{ strftime_now('%d %b %Y') }}", {}, new Date(2024, 6, 26, 9, 5))).toBe("26 Jul 2024")
  })

  test("ranges", () => {
    expect(render("{{ range(3) | list | join }} {{ range(1, 8, 3) | list | join }} {{ range(2, 0, -1) | list | join }}")).toBe("012 147 21")
  })

  test("no way to JavaScript's objects", () => {
    for (const text of ["{{ messages.constructor }}", "{{ messages['__proto__'] }}", "{{ ''.constructor }}", "{{ globalThis }}"]) {
      expect(render(text), text).toBe("")
    }
  })

  test("content is text, never a part of the template", () => {
    const turns: ChatTurn[] = [{ role: "user", content: "{{ 7 * 7 }}{% raw %}" }]
    expect(createTemplate("{{ messages[0].content }}").render(turns, prompt)).toBe("{{ 7 * 7 }}{% raw %}")
  })
})

describe("refused chats say what to change", () => {
  const raising = createTemplate("{{ raise_exception('Nope') }}")

  test("a system prompt", () => {
    const error = thrownBy(() => raising.render([{ role: "system", content: "x" }, ...user], prompt))
    expect(error.message).toContain("Nope")
    expect(error.hint).toContain("system prompt")
  })

  test("turns that do not alternate", () => {
    expect(thrownBy(() => raising.render([...user, ...user], prompt)).hint).toContain("take turns")
  })

  test("no message", () => {
    expect(thrownBy(() => createTemplate("x").render([], prompt))).toMatchObject({ code: "bad_input" })
  })
})

describe("templates that cannot be used", () => {
  test.each([
    ["that is not closed", "{% for message in messages %}", /./],
    ["of an unknown filter", "{{ messages | conjure }}", /conjure/],
    ["that adds nothing to a text", "{{ 'a' + undefined_name }}", /undefined/],
    ["with a break outside a loop", "{% break %}", /no meaning/],
    ["that calls itself without end", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", /stack|steps|not a function/],
    ["with a huge range", "{% for i in range(1000000000) %}x{% endfor %}", /range of 1000000000 numbers/],
    ["with a range of half numbers", "{{ range(0.5) | list }}", /whole numbers/],
    ["with a text that doubles", doubling("'ab'", "x ~ x"), /text of \d+ characters|string length/],
    ["with a list that doubles", doubling("[1]", "x + x"), /list of \d+ entries/],
    ["with one long text", `{{ '${"a".repeat(2 ** 18)}' }}`, /more than 262144/],
    ["with nested brackets", `{{ ${"(".repeat(100_000)} }}`, /stack/],
    ["with loops in loops", `${"{% for i in range(30000) %}".repeat(3)}x${"{% endfor %}".repeat(3)}`, /2000000 steps|more than 3 s/],
    ["with a list that holds itself many times", doubling("'a'", "[x, x]", "{{ x | tojson }}"), /more than 3 s|string length/],
  ])(
    "%s",
    (_, text, message) => {
      const error = thrownBy(() => createTemplate(text).render(user, prompt))
      expect(error.code).toBe("bad_file")
      expect(error.message).toMatch(/^The model's chat template cannot be used: /)
      expect(error.message).toMatch(message)
    },
    30_000,
  )

  function doubling(start: string, next: string, end = ""): string {
    const loop = `{% for i in range(60) %}{% set ns.x = ${next.replaceAll("x", "ns.x")} %}{% endfor %}`
    return `{% set ns = namespace(x=${start}) %}${loop}${end.replaceAll("x", "ns.x")}`
  }
})

test("time as Python writes it", () => {
  const time = new Date(2024, 1, 9, 0, 4, 7)
  expect(strftime(time, "%A %a %B %b %d %-d %e %j %Y %y %m %-m %H %I %M %S %p %F %T %% %Q")).toBe(
    "Friday Fri February Feb 09 9  9 040 2024 24 02 2 00 12 04 07 AM 2024-02-09 00:04:07 % %Q",
  )
})
