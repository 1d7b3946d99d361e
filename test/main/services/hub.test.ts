// Search and the pages of models, against the hub of our own.
import { createHash } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { inspectModel } from "../../../main/models/inspect.ts"
import { openModel } from "../../../main/models/open.ts"
import { HubQuery } from "../../../shared/schema/hub.ts"
import { startHub, type TestHub } from "../../hub/hub.ts"
import { scratchFolder } from "../scratch.ts"
import { fixtures } from "./fake-engine.ts"
import { runApp } from "./running-app.ts"

const jamba = JSON.stringify({ architectures: ["JambaForCausalLM"], model_type: "jamba" })
const card = "---\nlicense: apache-2.0\n---\n# A model\n\n![](https://elsewhere.example/x.png)\n"
let hub: TestHub

beforeEach(async () => {
  hub = await startHub({
    account: { token: "hf_right", name: "ada" },
    repositories: [
      { name: "a/llama", folder: join(fixtures, "llama"), downloads: 500, license: "mit" },
      { name: "a/llama-nf4", folder: join(fixtures, "llama-nf4-dq"), downloads: 400 },
      { name: "a/gguf", folder: join(fixtures, "gguf"), downloads: 300 },
      { name: "a/jamba", files: { "config.json": jamba, "model.safetensors": "", "tokenizer.json": "{}" }, downloads: 200 },
      { name: "a/pickled", files: { "config.json": "{}", "pytorch_model.bin": "x" }, downloads: 100 },
      { name: "b/gated", folder: join(fixtures, "llama"), access: "gated", license: "llama3.1" },
      { name: "b/private", folder: join(fixtures, "llama"), access: "private" },
    ],
  })
})
afterEach(() => hub.close())

const run = (env: Record<string, string> = {}) => runApp({ env: { HF_ENDPOINT: hub.endpoint, HF_HOME: scratchFolder(), ...env } })
const query = (change: Partial<HubQuery> = {}) => HubQuery.parse(change)

describe("search", () => {
  it("shows what there is, and why what cannot be used cannot", async () => {
    const { client } = await run()
    const { models, cursor } = await client["hub.search"](query())
    expect(cursor).toBeNull()
    expect(models.map(({ name, supported }) => [name, supported])).toEqual([
      ["a/llama", true],
      ["a/llama-nf4", false],
      ["a/gguf", true],
      ["a/jamba", false],
      ["a/pickled", false],
      ["b/gated", true],
    ])
    expect(models[0]).toMatchObject({ architecture: "LlamaForCausalLM", license: "mit", access: "open", kind: "safetensors", reason: null })
    expect(models[0]?.best).toMatchObject({ format: "bf16" })
    expect(models[1]?.reason).toMatch(/no tokenizer that can be read here/)
    expect(models[3]?.reason).toBe("Architecture `JambaForCausalLM` is not supported yet.")
    expect(models[4]?.reason).toMatch(/Only pickled \.bin weights/)
    expect(models[5]).toMatchObject({ access: "gated", license: "llama3.1" })
  })

  it("filters by words, license, what can be used, and size", async () => {
    const { client } = await run()
    const names = async (change: Partial<HubQuery>) => (await client["hub.search"](query(change))).models.map(({ name }) => name)
    expect(await names({ text: "NF4" })).toEqual(["a/llama-nf4"])
    expect(await names({ license: "mit" })).toEqual(["a/llama"])
    expect(await names({ isSupportedOnly: true })).not.toContain("a/jamba")
    expect(await names({ minParameters: 1e12 })).toEqual([])
  })

  it("goes on where a page ended", async () => {
    for (let i = 0; i < 100; i++)
      hub.repositories.set(`c/${i}`, { ...hub.repositories.get("a/llama")!, name: `c/${i}`, downloads: 1000 + i })
    const { client } = await run()
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await client["hub.search"](query({ text: "c/", ...(cursor ? { cursor } : {}) }))
      seen.push(...page.models.map(({ name }) => name))
      cursor = page.cursor ?? undefined
    } while (cursor)
    expect(new Set(seen).size).toBe(100)
    expect(seen[0]).toBe("c/99")
    await expect(client["hub.search"](query({ text: "c/", cursor: "99" }))).rejects.toMatchObject({ code: "not_found" })
  })

  it("says what is wrong with the hub", async () => {
    hub.faults.add({ match: "/api/models", kind: "status", status: 503 })
    const { client } = await run()
    await expect(client["hub.search"](query())).rejects.toMatchObject({ code: "network" })
  })
})

describe("a model's page", () => {
  it("has the whole model's plan from its headers alone", async () => {
    const { client } = await run()
    for (const [name, fixture] of [
      ["a/llama", "llama"],
      ["a/llama-nf4", "llama-nf4-dq"],
    ] as const) {
      const page = await client["hub.model"]({ name })
      const whole = await inspectModel(join(fixtures, fixture), { withTensors: true })
      const headers = await inspectModel(page.headers ?? "", { withTensors: true })
      expect(headers.tensors).toEqual(whole.tensors)
      expect(page.inspection).toMatchObject({ supported: true, parameters: whole.parameters, name: name.slice(2) })
      expect(page.files.find((file) => file.name === "model.safetensors")).toMatchObject({ algorithm: "sha256", isCached: false })
      await openModel(page.headers ?? "")
    }
    const bytes = hub.requests.filter(({ server, range }) => server === "storage" && range === undefined)
    expect(bytes.filter(({ path }) => path.includes(".safetensors"))).toEqual([])
  })

  it("is read once", async () => {
    const { client } = await run()
    const first = await client["hub.model"]({ name: "a/llama" })
    const asked = hub.requests.length
    expect((await client["hub.model"]({ name: `${hub.endpoint}/a/llama/tree/main` })).headers).toBe(first.headers)
    expect(hub.requests.slice(asked).every(({ path }) => path.startsWith("/api/"))).toBe(true)
  })

  it("offers the GGUF files of a repository, each with its own header", async () => {
    const { client } = await run()
    const page = await client["hub.model"]({ name: "a/gguf", variant: "llama-bpe-bf16" })
    expect(page.variants.length).toBeGreaterThan(1)
    expect(page.variant).toBe("llama-bpe-bf16")
    expect(page.headers).toMatch(/\.gguf$/)
    expect(page.inspection?.parameters).toBe((await inspectModel(join(fixtures, "gguf", "llama-bpe-bf16.gguf"))).parameters)
    const named = await client["hub.model"]({ name: `${hub.endpoint}/a/gguf/blob/main/llama-bpe-bf16.gguf` })
    expect(named.variant).toBe("llama-bpe-bf16")
  })

  it("shows the card without its front matter", async () => {
    hub.repositories.get("a/llama")?.files.set("README.md", Buffer.from(card))
    const { client } = await run()
    expect((await client["hub.model"]({ name: "a/llama" })).card).toMatch(/^# A model/)
  })

  it("says why it is closed, and opens with the right token, which goes nowhere else", async () => {
    const { client } = await run()
    const closed = await client["hub.model"]({ name: "b/gated" })
    expect(closed).toMatchObject({ headers: null, pageUrl: `${hub.endpoint}/b/gated`, licenseUrl: `${hub.endpoint}/b/gated` })
    expect(closed.summary.reason).toMatch(/gated/)
    expect((await client["hub.model"]({ name: "b/private" })).summary).toMatchObject({ access: "private", supported: false })
    expect(await client["hub.setToken"]({ token: "hf_right" })).toMatchObject({ token: "file", name: "ada" })
    expect((await client["hub.model"]({ name: "b/gated" })).headers).not.toBeNull()
    expect((await client["hub.model"]({ name: "b/private" })).summary.supported).toBe(true)
    expect(hub.requests.filter(({ server, authorization }) => server === "storage" && authorization !== undefined)).toEqual([])
    expect(JSON.stringify(await client["app.snapshot"](undefined))).not.toContain("hf_right")
    expect(await client["app.diagnostics"](undefined)).not.toContain("hf_right")
  })

  it("knows what other programs have downloaded", async () => {
    const cache = scratchFolder()
    const content = hub.repositories.get("a/llama")?.files.get("model.safetensors") ?? Buffer.alloc(0)
    const blobs = join(cache, "hub", "models--a--llama", "blobs")
    mkdirSync(blobs, { recursive: true })
    writeFileSync(join(blobs, createHash("sha256").update(content).digest("hex")), content)
    const { client } = await run({ HF_HOME: cache })
    const weights = async () => (await client["hub.model"]({ name: "a/llama" })).files.find(({ name }) => name === "model.safetensors")
    expect(await weights()).toMatchObject({ isCached: true })
    await client["settings.update"]({ useHuggingFaceCache: false })
    expect(await weights()).toMatchObject({ isCached: false })
  })

  it("refuses names that are none, and hostile headers", async () => {
    const { client } = await run()
    await expect(client["hub.model"]({ name: "just words" })).rejects.toMatchObject({ code: "bad_input" })
    const huge = Buffer.alloc(5000)
    huge.writeBigUInt64LE(90_000_000n)
    hub.repositories.get("a/llama")?.files.set("model.safetensors", huge)
    await expect(client["hub.model"]({ name: "a/llama" })).rejects.toMatchObject({ code: "bad_file" })
  })
})
