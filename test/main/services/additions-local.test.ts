// Real files, real transfers from a hub on loopback, the real engine; where only the order of things matters, a fake one.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { loadAddon } from "../../../main/engine/addon.ts"
import { forkHost } from "../../../main/engine/fork.ts"
import { quantizeModel } from "../../../main/engine/quantize.ts"
import { partsOf } from "../engine/rewritten.ts"
import { scratchFolder } from "../scratch.ts"
import { addingService } from "./adding.ts"
import { fixtures } from "./fake-engine.ts"

process.env.NIBBLE_CHECKED = "1"

const sharded = join(fixtures, "llama-tied-sharded")
const _shards = [1, 2, 3].map((number) => `model-0000${number}-of-00003.safetensors`)
const _repository = { name: "org/tiny-llama", folder: sharded }

/** By name, the bytes of every tensor of a folder. */
async function tensorsIn(folder: string): Promise<Map<string, string>> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"))
  const parts = (await Promise.all(files.map((name) => partsOf(join(folder, name))))).flat()
  return new Map(parts.map(({ name, dtype, shape, bytes }) => [name, `${dtype} ${shape} ${bytes.toString("base64")}`]))
}

const whole = new Map<string, Promise<Map<string, string>>>()

/** The model quantized the plain way. */
function quantizedWhole(format: "nf4" | "nf4-dq" | "int8"): Promise<Map<string, string>> {
  const made = whole.get(format) ?? quantizeWhole(format)
  whole.set(format, made)
  return made
}

async function quantizeWhole(format: "nf4" | "nf4-dq" | "int8"): Promise<Map<string, string>> {
  const out = join(scratchFolder(), "whole")
  const options = { path: sharded, out, format, blockSize: 64 as const, threshold: 6, threads: 1 }
  await quantizeModel(loadAddon(), options, { signal: new AbortController().signal, emit: async () => {} })
  return tensorsIn(out)
}

describe("a model of this computer", () => {
  it("is quantized where it lies, checked and put among the models", async () => {
    const adding = await addingService({ hub: null, startHost: forkHost })
    const before = readdirSync(sharded)
    const { id, path, state, step } = await adding.fromHere(sharded, { format: "nf4-dq" })
    expect({ path, state, step }).toEqual({ path: sharded, state: "draft", step: "plan" })
    expect(await adding.start(id)).toMatchObject({ state: "running" })
    const done = await adding.reached(id)
    expect(done).toMatchObject({ state: "done", step: "done", error: null, check: { state: "done" }, quantize: { phase: "quantize" } })
    const [model] = adding.registry.list()
    expect(model).toMatchObject({ id: done.modelId, format: "nf4-dq", path: join(adding.paths.models, "llama-tied-sharded-nf4-dq") })
    expect(await tensorsIn(model?.path ?? "")).toEqual(await quantizedWhole("nf4-dq"))
    expect(readdirSync(adding.paths.downloads)).toEqual([])
    expect(readdirSync(sharded)).toEqual(before)
    // What stays in 16 bits has its bytes, and every tensor its error.
    expect(done.kept.map(({ reason, tensors }) => [reason, tensors])).toEqual([
      ["the embedding", 1],
      ["a vector", 5],
    ])
    expect(done.kept[0]).toMatchObject({ bytes: 576 * 64 * 2, examples: ["model.embed_tokens.weight"] })
    const tensors = await adding.tensors(id)
    expect(tensors).toHaveLength(14)
    for (const { error } of tensors) expect(error).toBeGreaterThan(0.01)
  })

  it("can be taken as it is, or with its original on the list", async () => {
    const adding = await addingService({ hub: null, startHost: forkHost })
    const stored = await adding.fromHere(sharded, { format: "stored" })
    await adding.start(stored.id)
    const taken = await adding.reached(stored.id)
    expect(taken).toMatchObject({ state: "done", check: { state: "skipped", reason: expect.stringContaining("not quantized") } })
    expect(adding.registry.list()).toMatchObject([{ id: taken.modelId, path: sharded, isOwned: false, format: "bf16" }])

    const gguf = join(fixtures, "gguf", "qwen2-q4_0.gguf")
    const quantized = await adding.fromHere(gguf, { format: "int8", keepOriginals: true, check: false })
    await adding.start(quantized.id)
    const done = await adding.reached(quantized.id)
    expect(done).toMatchObject({ state: "done", error: null, check: { state: "skipped", reason: "It was not asked for." } })
    expect(adding.registry.list().slice(1)).toMatchObject([
      { path: gguf, isOwned: false, format: "q4_0" },
      { id: done.modelId, isOwned: true, format: "int8", note: expect.stringContaining("already 4-bit") },
    ])
  })

  it("that cannot be used is refused with the reason", async () => {
    const adding = await addingService({ hub: null, startHost: forkHost })
    await expect(adding.fromHere(scratchFolder())).rejects.toMatchObject({ code: "bad_input" })
    expect(adding.service.list()).toEqual([])
    await expect(adding.start("nothing")).rejects.toMatchObject({ code: "not_found" })
  })
})
