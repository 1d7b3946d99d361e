// nibble plan with the real engine: the fields that others' scripts read, from every kind of model.
import { copyFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, test } from "vitest"
import { memoryLimits } from "../../../main/cli/plan-options.ts"
import { moduleRuns } from "../../../main/cli/plan-text.ts"
import { type MemoryOwner, memoryOwners } from "../../../shared/schema/plan.ts"
import { startHub, type TestHub } from "../../hub/hub.ts"
import { models, nibble, scratch } from "./run-cli.ts"

interface Row {
  format: string
  parts: Record<MemoryOwner, number>
  total_bytes: number
  footprint_bytes: number
  devices: { name: string; used_bytes: number; free_bytes: number }[]
  fits: boolean
  verdict: string
  device_map: Record<string, string>
  context: number
}
interface Plan {
  rows: Row[]
  recommendation: { format: string; reason: string }
  fit: { kind: string }[]
  advice: { code: string }[]
}

const llama = join(models, "llama")
const formats = ["int8", "nf4", "nf4-dq", "fp4", "fp4-dq"]
const plan = (...args: string[]) => nibble(["plan", ...args])
const planJson = async (...args: string[]) => {
  const run = await plan(...args, "--json")
  expect([run.code, run.error]).toEqual([0, ""])
  return run.json<Plan>()
}

describe("fields", () => {
  it("are those of the contract, sizes in bytes", async () => {
    const { rows, recommendation } = await planJson(llama, "--context", "128", "--threads", "1")
    expect(rows.map(({ format }) => format).slice(1)).toEqual(formats)
    for (const { parts, footprint_bytes, devices, fits, verdict, device_map, total_bytes } of rows) {
      expect(Object.keys(parts).sort()).toEqual([...memoryOwners].sort())
      expect(Object.values(parts).reduce((sum, bytes) => sum + bytes, 0)).toBe(total_bytes)
      expect(footprint_bytes).toBeGreaterThan(100_000)
      expect(devices[0]).toMatchObject({ name: "cpu", used_bytes: total_bytes })
      expect(devices[0]?.free_bytes).toBeGreaterThan(0)
      expect([fits, verdict]).toEqual([true, "fits"])
      expect(device_map).toMatchObject({ "model.embed_tokens": "cpu", "model.layers.0": "cpu", "model.layers.1": "cpu", lm_head: "cpu" })
    }
    expect(recommendation).toMatchObject({ format: rows[0]?.format, reason: "best_that_fits" })
  })

  it("follow the options", async () => {
    const narrow = await planJson(llama, "--format", "nf4,int8", "--format", "nf4-dq", "--context", "64")
    expect(narrow.rows.map(({ format, context }) => [format, context])).toEqual([
      ["nf4", 64],
      ["int8", 64],
      ["nf4-dq", 64],
    ])
    const wide = await planJson(llama, "--format", "nf4", "--context", "256", "--block-size", "32", "--embeddings", "int8")
    const [before, after] = [narrow.rows[0], wide.rows[0]]
    expect(after?.parts.kv).toBe((before?.parts.kv ?? 0) * 4)
    expect(after?.parts.scales).toBeGreaterThan((before?.parts.scales ?? 0) * 1.5)
    expect(after?.parts.unquantized).toBeLessThan(before?.parts.unquantized ?? 0)
  })
})

describe("models", () => {
  it("are folders, config.json alone, GGUF files and installed names", async () => {
    const alone = join(scratch, "alone")
    mkdirSync(alone)
    copyFileSync(join(llama, "config.json"), join(alone, "config.json"))
    await nibble(["models", "import", join(models, "llama-nf4")])
    const [whole, config, gguf, installed] = await Promise.all([
      planJson(llama, "--format", "nf4", "--context", "64"),
      planJson(alone, "--format", "nf4", "--context", "64"),
      planJson(join(models, "gguf/llama-bpe-bf16.gguf"), "--context", "64"),
      planJson("llama-nf4", "--context", "64"),
    ])
    const parts = ({ rows }: Plan) => ({ ...rows[0]?.parts, context: 0 })
    expect(parts(config)).toEqual(parts(whole))
    expect(gguf.rows.map(({ format }) => format)).toEqual(["bf16", ...formats])
    expect(installed.rows.map(({ format }) => format)).toEqual(["nf4"])
    expect({ ...parts(installed), unquantized: 0 }).toEqual({ ...parts(whole), unquantized: 0 })
  })

  it("that are not there are told apart from wrong words", async () => {
    expect(await plan("nothing-like-this")).toMatchObject({ code: 1, error: expect.stringContaining("no folder, file or installed model") })
  })
})

describe("of the hub", () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await startHub({ repositories: [{ name: "a/llama", folder: llama, license: "mit" }] })
  })
  afterAll(() => hub.close())

  test("only headers are fetched", async () => {
    const run = await nibble(["plan", "a/llama", "--format", "nf4", "--context", "64", "--json"], { env: { HF_ENDPOINT: hub.endpoint } })
    expect(run.code).toBe(0)
    const { rows, ...about } = run.json<Plan & { model: string }>()
    expect(about.model).toBe("a/llama")
    const { rows: here } = await planJson(llama, "--format", "nf4", "--context", "64")
    expect({ ...rows[0]?.parts, context: 0 }).toEqual({ ...here[0]?.parts, context: 0 })
    expect((await nibble(["plan", "a/none"], { env: { HF_ENDPOINT: hub.endpoint } })).code).toBe(1)
  })
})

describe("devices", () => {
  it("of another computer, and less of them", async () => {
    const card = await planJson(llama, "--computer", "rtx-3060-12", "--format", "nf4")
    expect(card.rows[0]?.devices.map(({ name }) => name)).toEqual(["0", "cpu", "disk"])
    expect(card.rows[0]?.device_map["model.layers.0"]).toBe("0")
    const small = await planJson(llama, "--computer", "rtx-3060-12", "--max-memory", "gpu0=1KiB,cpu=30GiB", "--format", "bf16")
    expect(small.rows[0]).toMatchObject({ verdict: "partly", fits: false })
    expect(small.rows[0]?.device_map["model.layers.0"]).toBe("cpu")
    expect(small.fit.map(({ kind }) => kind)).toContain("layers_to_cpu")
    const none = await planJson(llama, "--max-memory", "cpu=1MiB,disk=0", "--format", "nf4")
    expect(none.rows[0]).toMatchObject({ verdict: "too_big", fits: false })
    expect(none.advice.map(({ code }) => code)).toContain("other_computer")
    const wrong = await plan(llama, "--computer", "abacus")
    expect([wrong.code, wrong.error]).toEqual([1, expect.stringContaining("rtx-4090-24")])
    expect(await plan(llama, "--max-memory", "gpu0=1GiB")).toMatchObject({ code: 1, error: expect.stringContaining("no device gpu0") })
  })

  it("the disk of another folder", async () => {
    const { rows } = await planJson(llama, "--disk", scratch, "--format", "nf4")
    expect(rows[0]?.devices.at(-1)?.name).toBe("disk")
    expect(await plan(llama, "--disk", "/nowhere")).toMatchObject({ code: 2, error: expect.stringContaining("is no folder") })
  })

  it("amounts are read in both kinds of units, and nothing else is", () => {
    expect(memoryLimits("gpu0=8GiB, cpu=1.5 gb,disk=10")).toEqual({ gpu0: 8 * 2 ** 30, cpu: 1.5e9, disk: 10 })
    expect(memoryLimits(undefined)).toEqual({})
    for (const wrong of ["gpu0", "gpu0=", "gpu0=8XiB", "fpga=1GiB", "cpu=-1GiB", "cpu=1GiB,cpu=2GiB", ""])
      expect(() => memoryLimits(wrong), wrong).toThrow(/--max-memory/)
  })
})

it("refuses what it cannot plan with a sentence", async () => {
  const int8 = await plan(llama, "--kv", "int8")
  expect([int8.code, int8.error]).toEqual([1, expect.stringContaining("keeps them in 16 bits")])
  const wrong = await Promise.all([
    plan(llama, "--format", "nf5"),
    plan(llama, "--batch", "2"),
    plan(llama, "--mode", "train", "--context", "100"),
    plan(llama, "--max-memory", "cpu=lots"),
  ])
  expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2, 2])
  expect(wrong[0]?.error).toContain("Did you mean nf4?")
  expect((await plan(llama, "--kv", "fp16", "--format", "nf4")).code).toBe(0)
})

it("tells people the table, the reason, the parts, the places and advice", async () => {
  const { out, code } = await plan(llama, "--computer", "rtx-4090-24", "--context", "128")
  expect(code).toBe(0)
  expect(out).toContain("llama, 115,008 parameters, 2 layers: a chat of 128 tokens")
  expect(out).toMatch(/gpu0 \(RTX 4090\), 23\.1 GiB usable/)
  expect(out).toMatch(/^> {2}\w+ .* fits .* the reference$/m)
  expect(out).toContain("the best quality that fits; 23.1 GiB stay free.")
  expect(out).toMatch(/^ {2}kv .* KiB {2}keys and values of the tokens of the context, in fp16; change it with --context$/m)
  expect(out).toMatch(/^ {2}gpu0 \(RTX 4090\) .* left {2}layers 0 to 1, model\.embed_tokens/m)
  expect(out).toContain("- This card multiplies FP8")
  const small = await plan(llama, "--max-memory", "cpu=1MiB,disk=0", "--context", "256")
  // A model this small has so few scales that the tables of double quantization take more than it saves.
  expect(small.out).toMatch(/Nothing fits: even nf4, the smallest, needs .* more\./)
})

it("plans training with its own options", async () => {
  const { rows } = await planJson(
    llama,
    ..."--mode train --format nf4 --rank 8 --batch 2 --sequence-length 64 --optimizer adamw_bnb_8bit".split(" "),
  )
  expect(Object.keys(rows[0]?.parts ?? {})).toEqual(expect.arrayContaining(["lora", "gradients", "optimizer"]))
  const { out } = await plan(llama, "--mode", "train", "--sequence-length", "64", "--gradient-checkpointing", "off")
  expect(out).toContain("training on sequences of 64 tokens")
  expect(await plan(llama, "--mode", "train", "--optimizer", "adamw8bits")).toMatchObject({
    code: 2,
    error: expect.stringContaining("Did you mean adamw8bit?"),
  })
})

it("names runs of layers", () => {
  expect(moduleRuns(["model.embed_tokens", "model.layers.0", "model.layers.1", "model.layers.3", "lm_head"])).toBe(
    "layers 0 to 1, 3, model.embed_tokens, lm_head",
  )
  expect(moduleRuns(["lm_head"])).toBe("lm_head")
})

test("nibble capacity says what a computer can run, as the page does", async () => {
  const [text, json, wrong] = await Promise.all([
    nibble(["capacity", "--computer", "rtx-3060-12"]),
    nibble(["capacity", "--computer", "rtx-3060-12", "--context", "32768", "--json"]),
    nibble(["capacity", "--computer", "abacus", "--json"]),
  ])
  expect([text.code, text.out.split("\n")[0]]).toEqual([0, expect.stringMatching(/^model +parameters +bf16 +int8 +nf4 +nf4-dq$/)])
  expect(text.out).toMatch(/^Llama 3\.1 8B +8\.0 B .*fits$/m)
  const table = json.json<{ computer: string; context: number; models: { name: string; cells: { verdict: string }[] }[] }>()
  expect(table).toMatchObject({ computer: "rtx-3060-12", context: 32768 })
  expect(table.models.find(({ name }) => name === "Llama 3.1 8B")?.cells.map(({ verdict }) => verdict)).toEqual([
    "partly",
    "partly",
    "fits",
    "fits",
  ])
  expect([wrong.code, wrong.json()]).toMatchObject([1, { error: { code: "not_found", hint: expect.stringContaining("rtx-3060-12") } }])
})
