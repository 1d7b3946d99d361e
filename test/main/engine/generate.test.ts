// Replies through a real host: the right tokens, text as it comes, and every way to end.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test, vi } from "vitest"
import { golden, greedy, models, temporaryFolder, testEngine } from "./fixtures.ts"

const folder = temporaryFolder()
const engine = testEngine()
const { client } = engine
const load = (name: string, options: object = {}) =>
  client["model.load"]({ path: join(models, name), compute: "fp32", ...options }, () => {})

type Request = Parameters<(typeof client)["model.generate"]>[0]

async function generate(request: Request, signal?: AbortSignal) {
  const events: { text: string; tokens: number }[] = []
  const result = await client["model.generate"](request, (event) => void events.push(event), signal)
  expect(events.map(({ text }) => text).join("")).toBe(result.text)
  expect(events.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(result.tokens.length)
  return { ...result, events }
}

const stops = [2]
/** Up to and with the first token that ends a reply. */
function untilStop(tokens: number[]): number[] {
  const at = tokens.findIndex((token) => stops.includes(token))
  return at < 0 ? tokens : tokens.slice(0, at + 1)
}

const cases: [string, string, string, object][] = [
  ["llama", "llama", "stored", {}],
  ["llama-bias", "llama-bias", "stored", {}],
  ["llama-rope-linear", "llama-rope-linear", "stored", {}],
  ["llama-rope-llama3", "llama-rope-llama3", "stored", {}],
  ["llama-tied-sharded", "llama-tied-sharded", "stored", {}],
  ["mistral", "mistral", "stored", {}],
  ["qwen2", "qwen2", "stored", {}],
  ["llama-nf4", "llama", "nf4", {}],
  ["llama-nf4-dq", "llama", "nf4-dq", {}],
  ["llama-fp4", "llama", "fp4", {}],
  ["llama", "llama", "int8", { quantize: "int8", exact: true }],
  ["llama", "llama", "nf4-dq", { quantize: "nf4-dq" }],
]
test.each(cases)("%s continues as in %s, %s", async (name, reference, variant, options) => {
  await load(name, options)
  const { tokens, greedy: continuations } = golden(reference)
  const request = { prompt: { kind: "tokens" as const, tokens }, sampling: { ...greedy, maxNewTokens: 16 } }
  const result = await generate(request)
  expect(result.tokens).toEqual(untilStop(continuations[variant] ?? []))
  expect(result).toMatchObject({ promptTokens: tokens.length, cachedTokens: 0, droppedMessages: 0 })
  expect(result.stopReason).toBe(result.tokens.length === 16 ? "max_new_tokens" : "end")
  expect(result.timeToFirstTokenMs).toBeGreaterThan(0)
  expect(result.prefillTokensPerS).toBeGreaterThan(0)
  expect(result.decodeTokensPerS).toBeGreaterThan(0)
  // Asked again, the prompt is in the cache, and the answer is the same.
  const again = await generate(request)
  expect(again.tokens).toEqual(result.tokens)
  expect(again.cachedTokens).toBe(tokens.length - 1)
})

const long = { kind: "text" as const, text: "Once upon a time" }

test("text in, text out; a seed repeats a reply, and one that was drawn is told", async () => {
  await load("llama")
  const sampling = { temperature: 1.5, maxNewTokens: 40 }
  const first = await generate({ prompt: long, sampling })
  const again = await generate({ prompt: long, sampling: { ...sampling, seed: first.seed } })
  expect(again.text).toBe(first.text)
  expect(again.tokens).toEqual(first.tokens)
  const other = await generate({ prompt: long, sampling })
  expect(other.seed).not.toBe(first.seed)
})

test("a stop string ends the reply, and no part of it is seen", async () => {
  await load("llama")
  const sampling = { temperature: 1, seed: 7, maxNewTokens: 60 }
  const whole = await generate({ prompt: long, sampling })
  const letters = [...whole.text]
  const stop = letters.slice(10, 14).join("")
  const stopped = await generate({ prompt: long, sampling, stop: ["never to be found", stop] })
  expect(stopped.stopReason).toBe("stop_string")
  expect(stopped.text).toBe(whole.text.slice(0, whole.text.indexOf(stop)))
  expect(stopped.tokens).toEqual(whole.tokens.slice(0, stopped.tokens.length))
  expect(stopped.tokens.length).toBeLessThan(whole.tokens.length)
})

test("the context ends a reply that no one ends", async () => {
  await load("llama", { context: 32 })
  const { tokens } = golden("llama")
  const result = await generate({ prompt: { kind: "tokens", tokens }, sampling: { ...greedy, maxNewTokens: 1000 } })
  expect(result.stopReason).toBe("context_full")
  expect(result.tokens).toHaveLength(32 - tokens.length + 1)
  const tooLong = generate({ prompt: { kind: "tokens", tokens: [...tokens, ...tokens] }, sampling: greedy })
  await expect(tooLong).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(/40 tokens.*32/),
    hint: expect.stringContaining("256"),
  })
})

test("wrong requests", async () => {
  await load("llama")
  await expect(generate({ prompt: { kind: "tokens", tokens: [320] }, sampling: {} })).rejects.toMatchObject({ code: "bad_input" })
  await expect(generate({ prompt: long, sampling: { topP: 2 } })).rejects.toMatchObject({ code: "bad_input" })
  // A folder that holds weights only.
  await load("llama-nf4")
  const chat = { kind: "chat" as const, turns: [{ role: "user" as const, content: "Hi" }] }
  await expect(generate({ prompt: chat, sampling: {} })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("no chat template"),
  })
  await expect(generate({ prompt: long, sampling: {} })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("no tokenizer"),
  })
})

/** The tiny Llama with room for 8192 positions and no token that ends a reply: there is always a middle of it. */
function endlessModel(): string {
  const path = join(folder, "endless")
  cpSync(join(models, "llama"), path, { recursive: true })
  for (const name of ["generation_config.json", "tokenizer_config.json"]) rmSync(join(path, name))
  const { eos_token_id: _, ...config } = JSON.parse(readFileSync(join(path, "config.json"), "utf8"))
  writeFileSync(join(path, "config.json"), JSON.stringify({ ...config, max_position_embeddings: 8192 }))
  return path
}

test("cancelled in the middle, what was made is kept", async () => {
  await client["model.load"]({ path: endlessModel(), compute: "fp32", backend: "ref" }, () => {})
  const abort = new AbortController()
  const events: string[] = []
  const request = { prompt: long, sampling: { temperature: 1, seed: 3, maxNewTokens: 8000 } }
  const cancelled = await client["model.generate"](
    request,
    ({ text }) => {
      events.push(text)
      abort.abort()
    },
    abort.signal,
  )
  expect(cancelled.stopReason).toBe("cancelled")
  expect(cancelled.tokens.length).toBeGreaterThan(0)
  expect(cancelled.tokens.length).toBeLessThan(8000)
  expect(cancelled.text.startsWith(events.join(""))).toBe(true)
  expect(cancelled.prefillTokensPerS).toBeGreaterThan(0)
  const maxNewTokens = cancelled.tokens.length + 8
  const whole = await generate({ ...request, sampling: { ...request.sampling, maxNewTokens } })
  expect(whole.text.startsWith(cancelled.text)).toBe(true)
  expect(whole.tokens.slice(0, cancelled.tokens.length)).toEqual(cancelled.tokens)
})

test("cancelled before the first token", async () => {
  await load("llama", { backend: "ref" })
  const abort = new AbortController()
  const running = client["model.generate"]({ prompt: long, sampling: {} }, () => {}, abort.signal)
  abort.abort()
  expect(await running).toMatchObject({ stopReason: "cancelled" })
})

test("two replies at once: the second is told to wait", async () => {
  await load("llama", { backend: "ref" })
  const first = generate({ prompt: long, sampling: { ...greedy, maxNewTokens: 100 } })
  await expect(generate({ prompt: long, sampling: greedy })).rejects.toMatchObject({ code: "busy" })
  expect((await first).tokens.length).toBeGreaterThan(0)
})

test("killed in the middle of a reply: told so, and the next call works", async () => {
  await load("llama", { backend: "ref" })
  let text = ""
  const lost = client["model.generate"]({ prompt: long, sampling: { temperature: 1, maxNewTokens: 240 } }, (event) => {
    if (text === "") process.kill(engine.pid as number, "SIGKILL")
    text += event.text
  })
  await expect(lost).rejects.toMatchObject({ code: "engine_lost", message: expect.stringContaining("signal 9") })
  expect(text).not.toBe("")
  await expect(generate({ prompt: long, sampling: greedy })).rejects.toMatchObject({ code: "not_found" })
  await vi.waitFor(() => expect(engine.state.state).toBe("ready"))
  await load("llama")
  expect((await generate({ prompt: long, sampling: { ...greedy, maxNewTokens: 4 } })).tokens.length).toBeGreaterThan(0)
})

test("tells how many tokens the cache has held, while a reply comes and when it was stopped", async () => {
  await load("llama")
  const { tokens } = golden("llama")
  expect((await client["model.memory"](undefined)).tokens).toBe(0)
  const stop = new AbortController()
  const seen: Promise<number>[] = []
  let made = 0
  const request = { prompt: { kind: "tokens" as const, tokens }, sampling: { ...greedy, temperature: 2, maxNewTokens: 100 } }
  const onEvent = (event: { tokens: number }) => {
    made += event.tokens
    const atLeast = tokens.length + made
    seen.push(client["model.memory"](undefined).then((memory) => memory.tokens - atLeast))
    if (made >= 3) stop.abort()
  }
  await client["model.generate"](request, onEvent, stop.signal).catch(() => {})
  expect(seen.length).toBeGreaterThan(0)
  for (const ahead of await Promise.all(seen)) expect(ahead).toBeGreaterThanOrEqual(0)
  expect((await client["model.memory"](undefined)).tokens).toBeGreaterThanOrEqual(tokens.length + 1)
})
