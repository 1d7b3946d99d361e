// The engine host as a real process: loading, planning, the small calls, and what goes wrong while loading.
import { cpSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { readSafetensors } from "../../../main/models/safetensors.ts"
import { changedModel, golden, listing, madeModel, models, temporaryFolder, testEngine } from "./fixtures.ts"

const folder = temporaryFolder()
const { client } = testEngine()
const load = (name: string, options: object = {}) => client["model.load"]({ path: join(models, name), ...options }, () => {})
const nothingLoaded = { code: "not_found", message: "No model is loaded." }

test("a loaded model is described, as it was planned", async () => {
  const fractions: number[] = []
  const options = { path: join(models, "llama-nf4-dq"), id: "my-id", threads: 1 }
  const plan = await client["model.plan"](options)
  const loaded = await client["model.load"](options, ({ fraction }) => void fractions.push(fraction))
  expect(loaded).toMatchObject({
    id: "my-id",
    name: "llama-nf4-dq",
    path: join(models, "llama-nf4-dq"),
    architecture: "LlamaForCausalLM",
    format: "nf4-dq",
    context: 256,
    contextLimit: 256,
    hasChatTemplate: false,
    threads: 1,
    plan,
  })
  expect(plan.mapped).toBeGreaterThan(0)
  expect(plan.total).toBe(plan.weights + plan.scales + plan.unquantized + plan.kv + plan.activations + plan.logits + plan.scratch)
  expect(fractions.at(-1)).toBe(1)
  expect(loaded.loadMs).toBeGreaterThan(0)
  const info = await client["engine.info"](undefined)
  expect(loaded.isa).toBe(info.isa)
  expect((await client["model.unload"](undefined)).freedBytes).toBeGreaterThanOrEqual(0)
  expect(await client["model.unload"](undefined)).toEqual({ freedBytes: 0 })
})

test("the context is at most 8192 unless asked for, and never more than the model's", async () => {
  const path = changedModel("llama", folder, { max_position_embeddings: 100_000 })
  expect((await client["model.load"]({ path }, () => {})).context).toBe(8192)
  expect((await client["model.load"]({ path, context: 10_000 }, () => {})).context).toBe(10_000)
  const asked = client["model.load"]({ path, context: 100_001 }, () => {})
  await expect(asked).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(/100001.*100000/),
    hint: expect.any(String),
  })
})

test("too little memory is told before anything is allocated: how much, what for, what to do", async () => {
  const sizes = { hidden_size: 8192, num_attention_heads: 64, num_key_value_heads: 64, head_dim: 128, max_position_embeddings: 16_000_000 }
  const options = { path: madeModel(folder, sizes), context: 16_000_000 }
  const plan = await client["model.plan"](options)
  expect(plan.kv).toBeGreaterThan(1e11)
  await expect(client["model.load"](options, () => {})).rejects.toMatchObject({
    code: "out_of_memory",
    message: expect.stringMatching(/needs .* the system has .* available.* largest part is the context .* shorter context/i),
  })
  await expect(client["model.count"]({ prompt: { kind: "tokens", tokens: [1] } })).rejects.toMatchObject(nothingLoaded)
})

test("a load that fails leaves nothing loaded", async () => {
  for (const options of [
    { path: join(folder, "nothing") },
    { path: join(models, "llama"), quantize: "fp16" as const },
    { path: join(models, "llama-nf4"), quantize: "int8" as const },
  ]) {
    await load("llama")
    await expect(client["model.load"](options, () => {})).rejects.toMatchObject({
      code: expect.stringMatching(/not_found|unsupported|bad_input/),
    })
    await expect(client["model.bench"]({ promptTokens: 1, newTokens: 1 })).rejects.toMatchObject(nothingLoaded)
  }
})

test("damaged files are named", async () => {
  const path = join(folder, "truncated")
  cpSync(join(models, "llama"), path, { recursive: true })
  const weights = readFileSync(join(path, "model.safetensors"))
  writeFileSync(join(path, "model.safetensors"), weights.subarray(0, weights.length - 100))
  await expect(client["model.load"]({ path }, () => {})).rejects.toMatchObject({
    code: "bad_file",
    message: expect.stringContaining("model.safetensors"),
  })
  writeFileSync(join(path, "model.safetensors"), weights)
  writeFileSync(join(path, "tokenizer.json"), "{")
  await expect(client["model.load"]({ path }, () => {})).rejects.toMatchObject({
    code: "bad_file",
    message: expect.stringContaining("tokenizer.json"),
  })
  await expect(client["model.bench"]({ promptTokens: 1, newTokens: 1 })).rejects.toMatchObject(nothingLoaded)
})

test("loading is cancelled, and one at a time", async () => {
  const abort = new AbortController()
  const first = client["model.load"]({ path: join(models, "llama") }, () => {}, abort.signal)
  const second = load("llama")
  abort.abort()
  await expect(second).rejects.toMatchObject({ code: "busy", message: expect.stringContaining("llama") })
  await expect(first).rejects.toMatchObject({ code: "cancelled" })
  await expect(client["model.bench"]({ promptTokens: 1, newTokens: 1 })).rejects.toMatchObject(nothingLoaded)
  await load("llama")
})

test("a model at work is neither replaced nor unloaded", async () => {
  await load("llama", { backend: "ref" })
  const working = client["model.bench"]({ promptTokens: 128, newTokens: 120 })
  await expect(load("llama")).rejects.toMatchObject({ code: "busy", message: expect.stringContaining("llama") })
  await expect(client["model.unload"](undefined)).rejects.toMatchObject({ code: "busy" })
  const timed = await working
  expect(timed.prefillMs).toBeGreaterThan(0)
  expect(timed.decodeMs).toBeGreaterThan(0)
  expect(timed.weightBytesPerToken).toBeGreaterThan(147456)
})

test("logits go to a file like any other program's", async () => {
  await load("llama", { compute: "fp32" })
  const { tokens } = golden("llama")
  const out = join(folder, "logits.safetensors")
  expect(await client["model.logits"]({ tokens, out })).toEqual({ out, shape: [20, 320] })
  const { tensors } = await readSafetensors(out)
  expect(tensors).toMatchObject([{ name: "logits", dtype: "F32", shape: [20, 320] }])
  const offset = tensors[0]?.data.offset ?? 0
  const logits = new Float32Array(new Uint8Array(readFileSync(out).subarray(offset)).buffer)
  const best = logits.subarray(19 * 320).reduce((best, value, i, row) => (value > (row[best] ?? 0) ? i : best), 0)
  expect(best).toBe(golden("llama").greedy.stored?.[0])
  // Written again over the old one.
  await client["model.logits"]({ tokens: [1, 2], out })
  expect((await readSafetensors(out)).tensors[0]?.shape).toEqual([2, 320])
})

test("logits that cannot be written leave nothing", async () => {
  await load("llama")
  const before = listing(folder)
  const wrong: [number[], string, string][] = [
    [[1], join(folder, "nowhere/logits"), "not_found"],
    [[1], folder, "bad_input"],
    [[1], "a\0b", "bad_input"],
    [[320], join(folder, "new"), "bad_input"],
    [new Array(257).fill(1), join(folder, "new"), "bad_input"],
  ]
  for (const [tokens, out, code] of wrong) await expect(client["model.logits"]({ tokens, out })).rejects.toMatchObject({ code })
  const abort = new AbortController()
  const cancelled = client["model.logits"]({ tokens: new Array(256).fill(1), out: join(folder, "new") }, abort.signal)
  abort.abort()
  await expect(cancelled).rejects.toMatchObject({ code: "cancelled" })
  expect(listing(folder)).toEqual(before)
})

test("text to ids and back", async () => {
  await load("llama")
  const text = "Hello, world é"
  const { ids, tokens, text: back } = await client["model.tokenize"]({ text })
  expect(back).toBe(text)
  expect(tokens).toHaveLength(ids.length)
  expect(await client["model.tokenize"]({ decode: ids })).toEqual({ ids, tokens, text })
  expect(await client["model.count"]({ prompt: { kind: "tokens", tokens: ids } })).toEqual({ tokens: ids.length, limit: 256 })
  await expect(client["model.tokenize"]({ decode: [320] })).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringContaining("320"),
  })
})

test("the machine is measured and the engine tests itself", async () => {
  expect(await client["engine.selfTest"]({ backend: "auto" })).toBeNull()
  expect(await client["engine.bandwidth"]({ bytes: 1 << 24, threads: 1 })).toBeGreaterThan(0.1)
  const abort = new AbortController()
  const long = client["engine.bandwidth"]({ bytes: 1 << 28, threads: 1 }, abort.signal)
  abort.abort()
  await expect(long).rejects.toMatchObject({ code: "cancelled" })
})
