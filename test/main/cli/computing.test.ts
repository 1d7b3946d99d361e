// Commands that compute, on tiny models with the real engine.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { models, nibble, scratch } from "./run-cli.ts"

const llama = join(models, "llama")
const greedy = ["--temperature", "0", "--max-new-tokens", "12"]

interface Generated {
  text: string
  tokens: number[]
  seed: number
  stop_reason: string
  prompt_tokens: number
}

describe("generate", () => {
  it("tells the fields of the contract, and nothing but JSON on standard output", async () => {
    const run = await nibble(["generate", llama, "--prompt", "Hello", ...greedy, "--json"])
    expect(run.code).toBe(0)
    expect(run.out.trim().split("\n")).toHaveLength(1)
    const result = run.json<Generated & Record<string, number>>()
    expect(result).toMatchObject({ stop_reason: "max_new_tokens", context: 256, format: "bf16" })
    expect(result.tokens).toHaveLength(12)
    for (const field of ["prefill_tokens_per_s", "decode_tokens_per_s", "time_to_first_token_ms", "prompt_tokens", "load_ms"])
      expect(result[field], field).toBeGreaterThan(0)
    expect(result.seed).toBeGreaterThanOrEqual(0)
  })

  it("streams the same text, with figures on standard error; --quiet leaves these out", async () => {
    const args = ["generate", llama, "--prompt", "Hello", ...greedy]
    const [json, shown, quiet] = await Promise.all([nibble([...args, "--json"]), nibble(args), nibble([...args, "--quiet"])])
    expect(shown.out).toBe(`${json.json<Generated>().text}\n`)
    expect(shown.error).toMatch(/^12 tokens · [\d,.]+ tokens\/s · first after \d+ ms · seed \d+$/m)
    expect([quiet.out, quiet.error]).toEqual([shown.out, ""])
  })

  it("takes token ids, a prompt from standard input, and a chat with a system prompt", async () => {
    const [ids, piped, chat, system] = await Promise.all([
      nibble(["generate", llama, "--tokens", "1,2,3", ...greedy, "--json"]),
      nibble(["generate", llama, "--prompt", "-", ...greedy, "--json"], { input: "Hello\n" }),
      nibble(["generate", llama, "--chat", "Hello", ...greedy, "--json"]),
      nibble(["generate", llama, "--chat", "Hello", "--system", "Be brief.", ...greedy, "--json"]),
    ])
    expect(ids.json()).toMatchObject({ prompt_tokens: 3 })
    expect(piped.json()).toMatchObject({ prompt_tokens: 5 })
    expect(chat.json<Generated>().prompt_tokens).toBeGreaterThan(5)
    expect(system.json<Generated>().prompt_tokens).toBeGreaterThan(chat.json<Generated>().prompt_tokens)
  })

  it("repeats itself with a seed, and quantizes while loading", async () => {
    const args = ["generate", llama, "--prompt", "Hello", "--max-new-tokens", "20", "--temperature", "1.5", "--seed", "7", "--json"]
    const [one, two, nf4] = await Promise.all([nibble(args), nibble(args), nibble([...args, "--quantize", "nf4-dq", "--backend", "ref"])])
    expect(two.json<Generated>().tokens).toEqual(one.json<Generated>().tokens)
    expect(nf4.json()).toMatchObject({ seed: 7, format: "nf4-dq", isa: "ref" })
  })

  it("computes in each type", async () => {
    const runs = await Promise.all(
      ["fp32", "fp16", "bf16"].map((type) =>
        nibble(["generate", llama, "--prompt", "Hello", ...greedy, "--compute-dtype", type, "--json"]),
      ),
    )
    expect(runs.map((run) => run.json<{ compute_dtype: string }>().compute_dtype)).toEqual(["fp32", "fp16", "bf16"])
  })

  it("stops before a given text", async () => {
    const args = ["generate", llama, "--prompt", "Hello", ...greedy, "--json"]
    const { text } = (await nibble(args)).json<Generated>()
    const stop = text.slice(3, 5)
    const stopped = (await nibble([...args, "--stop", stop])).json<Generated>()
    expect(stopped).toMatchObject({ stop_reason: "stop_string", text: text.slice(0, text.indexOf(stop)) })
  })

  it("says what it cannot do", async () => {
    const [textless, long, engineless] = await Promise.all([
      nibble(["generate", join(models, "llama-nf4"), "--chat", "Hello", "--json"]),
      nibble(["generate", llama, "--prompt", "Hello", "--context", "100000", "--json"]),
      nibble(["generate", llama, "--prompt", "Hello", "--json"], { env: { NIBBLE_ENGINE: "/nowhere/engine.node" } }),
    ])
    expect([textless.code, textless.json()]).toMatchObject([1, { error: { code: "unsupported" } }])
    expect([long.code, long.json()]).toMatchObject([1, { error: { code: "bad_input", message: expect.stringContaining("256") } }])
    expect([engineless.code, engineless.json()]).toMatchObject([1, { error: { message: expect.stringContaining("/nowhere/engine.node") } }])
  })

  it("ends with 130 on Ctrl+C", async () => {
    const args = [
      "generate",
      llama,
      "--tokens",
      "5,6,7",
      "--temperature",
      "0",
      "--max-new-tokens",
      "100000",
      "--backend",
      "ref",
      "--verbose",
      "--json",
    ]
    const run = await nibble(args, {
      onStart: (child) => child.stderr?.once("data", () => child.kill("SIGINT")),
    })
    expect([run.code, run.json()]).toEqual([130, { error: { code: "cancelled", message: "Cancelled." } }])
  })

  it("ends quietly when nobody reads any more", async () => {
    const run = await nibble(["generate", llama, "--prompt", "Hello", "--max-new-tokens", "200"], {
      onStart: (child) => child.stdout?.destroy(),
    })
    expect(run.code).not.toBeNull()
    expect(run.error).not.toMatch(/EPIPE| {4}at /)
  })
})

describe("chat", () => {
  it("goes line by line, keeps its history, and knows its commands", async () => {
    const input = "Hi\n/help\n/nonsense\nAgain\n//slash\n/quit\nnever\n"
    const run = await nibble(["chat", llama, "--temperature", "0", "--max-new-tokens", "4", "--system", "Be brief.", "--json"], { input })
    expect(run.code).toBe(0)
    const { turns } = run.json<{ turns: { role: string; content: string }[] }>()
    expect(turns.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user", "assistant", "user", "assistant"])
    expect(turns.filter(({ role }) => role !== "assistant").map(({ content }) => content)).toEqual(["Be brief.", "Hi", "Again", "/slash"])
    expect(run.error).toContain("/reset  forget")
    expect(run.error).toContain("There is no /nonsense.")
  })

  it("forgets on /reset, and shows replies on standard output only", async () => {
    const args = ["chat", llama, "--temperature", "0", "--max-new-tokens", "4", "--quiet"]
    const [once, twice] = await Promise.all([nibble(args, { input: "Hi\n" }), nibble(args, { input: "Hi\n/reset\nHi\n" })])
    expect(once.error).toBe("")
    expect(twice.out).toBe(once.out + once.out)
  })

  it("refuses a model that was not trained to", async () => {
    const run = await nibble(["chat", join(models, "llama-nf4"), "--json"], { input: "Hi\n" })
    expect([run.code, run.json()]).toMatchObject([1, { error: { code: "unsupported", hint: expect.stringContaining("--prompt") } }])
  })
})

describe("quantize", () => {
  it("writes a folder that loads, tells about it, and overwrites nothing", async () => {
    const out = join(scratch, "made/llama-nf4")
    const args = ["quantize", llama, "--out", out, "--format", "nf4-dq", "--compute-dtype", "bf16", "--json"]
    const run = await nibble(args)
    expect(run.code).toBe(0)
    expect(run.json()).toMatchObject({ out, format: "nf4-dq", tensors_quantized: 14, tensors_kept: 7 })
    for (const field of ["bytes_in", "bytes_out", "seconds", "parameters_per_second", "peak_rss_bytes"])
      expect(run.json<Record<string, number>>()[field], field).toBeGreaterThan(0)
    expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8"))).toMatchObject({
      quantization_config: { bnb_4bit_compute_dtype: "bfloat16", bnb_4bit_use_double_quant: true },
    })
    const [inspected, generated, again] = await Promise.all([
      nibble(["inspect", out, "--json"]),
      nibble(["generate", out, "--prompt", "Hello", ...greedy, "--json"]),
      nibble(args),
    ])
    expect(inspected.json()).toMatchObject({ format: "nf4-dq" })
    expect(generated.json()).toMatchObject({ format: "nf4-dq" })
    expect([again.code, again.json()]).toMatchObject([1, { error: { code: "bad_input", message: expect.stringContaining("not empty") } }])
    expect(readdirSync(join(scratch, "made"))).toEqual(["llama-nf4"])
  })

  it("takes a path relative to where it is called, and modules to skip", async () => {
    const run = await nibble(["quantize", llama, "--out", "relative", "--format", "int8", "--skip-modules", "lm_head,mlp.down_proj"])
    expect(run.code).toBe(0)
    expect(run.out).toMatch(/^12 tensors in int8, 9 as they were/m)
    expect(existsSync(join(scratch, "relative/model.safetensors"))).toBe(true)
  })

  it("quantizes embedding and head on request, and names what it keeps", async () => {
    const wish = ["quantize", llama, "--format", "nf4", "--embeddings", "int8"]
    const [told, listed] = await Promise.all([
      nibble([...wish, "--out", join(scratch, "tables"), "--verbose"]),
      nibble([...wish, "--out", join(scratch, "tables-json"), "--json"]),
    ])
    expect(told.code).toBe(0)
    expect(told.out).toMatch(/^16 tensors in nf4, 5 as they were/m)
    expect(told.out).toMatch(/^Kept \(a vector\):\n {2}model\.layers\.0\.input_layernorm\.weight$/m)
    expect(listed.json()).toMatchObject({ tensors_kept: 5, kept: [{ reason: "a vector", tensors: expect.any(Array) }] })
    const generated = await nibble(["generate", join(scratch, "tables"), "--prompt", "Hello", ...greedy, "--json"])
    expect(generated.code).toBe(0)
  })

  it("leaves nothing of what it refuses", async () => {
    const out = join(scratch, "refused/deep/q")
    const run = await nibble(["quantize", join(models, "llama-int8"), "--out", out, "--format", "nf4", "--json"])
    expect([run.code, run.json()]).toMatchObject([
      1,
      { error: { code: "bad_input", message: expect.stringContaining("already quantized") } },
    ])
    expect(existsSync(join(scratch, "refused"))).toBe(false)
  })
})

it("logits writes a safetensors file", async () => {
  const out = join(scratch, "logits.safetensors")
  const run = await nibble(["logits", llama, "--tokens", "1,2,3,4", "--out", out, "--json"])
  expect(run.json()).toEqual({ out, shape: [4, 320] })
  const file = readFileSync(out)
  const header = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString())
  expect(header.logits).toMatchObject({ dtype: "F32", shape: [4, 320] })
})

it("bench tells median and spread", async () => {
  const run = await nibble(["bench", llama, "--prompt", "16", "--generate", "4", "--repeat", "2", "--threads", "1", "--json"])
  const result = run.json<Record<string, number>>()
  expect(result).toMatchObject({ prompt: 16, generate: 4, repeat: 2, threads: 1 })
  for (const field of ["load_ms", "prefill_tokens_per_s", "decode_tokens_per_s", "weight_bytes_read_per_token", "peak_rss_bytes"])
    expect(result[field], field).toBeGreaterThan(0)
  expect(result.prefill_tokens_per_s_min).toBeLessThanOrEqual(result.prefill_tokens_per_s ?? 0)
  expect(typeof result.isa).toBe("string")
})

describe("doctor", () => {
  it("tells the fields of the contract and tests each backend", async () => {
    const run = await nibble(["doctor", "--json"])
    expect(run.code).toBe(0)
    const report = run.json<{ backends: { name: string; available: boolean; reason: string | null; devices: string[] }[]; isa: string }>()
    expect(report).toMatchObject({ versions: { node: process.versions.node }, memory_bytes: expect.any(Number), cpu: expect.any(String) })
    const working = report.backends.filter(({ available }) => available)
    expect(working.map(({ name }) => name)).toContain("ref")
    expect(working.map(({ name }) => name)).toContain(report.isa)
    for (const { available, reason, devices } of report.backends)
      expect(available ? reason === null && devices.length > 0 : reason).toBeTruthy()
  })

  it("reports what it can when the engine does not load, and fails", async () => {
    const run = await nibble(["doctor", "--json"], { env: { NIBBLE_ENGINE: "/nowhere/engine.node" } })
    expect(run.code).toBe(1)
    expect(run.json()).toMatchObject({
      backends: [],
      isa: null,
      engine_error: { message: expect.stringContaining("/nowhere/engine.node") },
    })
  })
})
