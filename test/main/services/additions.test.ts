import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { forkHost } from "../../../main/engine/fork.ts"
import { openModel } from "../../../main/models/open.ts"
import { addingService, testHub } from "./adding.ts"
import { fixtures } from "./fake-engine.ts"

process.env.NIBBLE_CHECKED = "1"

const sharded = join(fixtures, "llama-tied-sharded")

describe("a model of this computer", () => {
  it("is quantized where it lies, checked and put among the models", async () => {
    const adding = await addingService({ hub: null, startHost: forkHost })
    const { id, path, state, step } = await adding.fromHere(sharded, { format: "nf4-dq" })
    expect({ path, state, step }).toEqual({ path: sharded, state: "draft", step: "plan" })
    await adding.start(id)
    const done = await adding.reached(id)
    expect(done).toMatchObject({ state: "done", step: "done", error: null })
    const [model] = adding.registry.list()
    expect(model).toMatchObject({ id: done.modelId, format: "nf4-dq", path: join(adding.paths.models, "llama-tied-sharded-nf4-dq") })
    await openModel(model?.path ?? "")
    expect(readdirSync(adding.paths.downloads)).toEqual([])
    expect(readdirSync(sharded)).toHaveLength(8)
    const tensors = await adding.tensors(id)
    expect(tensors).toHaveLength(14)
    for (const { error } of tensors) expect(error).toBeGreaterThan(0)
  })
})

describe("a model of the hub", () => {
  it("is downloaded, quantized and checked side by side", async () => {
    const hub = await testHub({ repositories: [{ name: "org/tiny-llama", folder: sharded }] })
    const adding = await addingService({ hub, startHost: forkHost })
    const { id } = await adding.fromHub("org/tiny-llama", { format: "nf4" })
    await adding.start(id)
    const done = await adding.reached(id)
    expect(done).toMatchObject({ state: "done", step: "done", error: null })
    expect(adding.registry.list()).toMatchObject([{ name: "tiny-llama", format: "nf4", license: "apache-2.0", isOwned: true }])
    expect(adding.registry.list()[0]?.source).toMatch(/^hub:org\/tiny-llama@[0-9a-f]{40}$/)
    expect(done.check.state).toBe("done")
    expect(existsSync(join(adding.paths.downloads, id))).toBe(false)
  })
})
