// Installed models by command: getting them, naming them, removing them.
import type { ChildProcess } from "node:child_process"
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, it, onTestFinished } from "vitest"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { startHub, type TestHub } from "../../hub/hub.ts"
import type { RepositoryWish } from "../../hub/repository.ts"
import { models, nibble, type RunOptions, scratch } from "./run-cli.ts"

let home: string
beforeEach(() => {
  home = mkdtempSync(join(scratch, "home-"))
})
const run = (args: string[], { env, ...options }: RunOptions = {}) => nibble(args, { ...options, env: { NIBBLE_HOME: home, ...env } })

describe("import, list, show, rm", () => {
  it("reads a model where it lies, finds it by name, and never deletes its files", async () => {
    const folder = join(scratch, "my-model")
    cpSync(join(models, "llama"), folder, { recursive: true })
    const imported = await run(["models", "import", "../".repeat(20) + folder.slice(1), "--json"])
    expect(imported.code).toBe(0)
    const model = imported.json<InstalledModel>()
    expect(model).toMatchObject({ path: folder, isOwned: false, source: "local", architecture: "LlamaForCausalLM", format: "bf16" })

    const [list, show, generated, inspected] = await Promise.all([
      run(["models", "list", "--json"]),
      run(["models", "show", "my-model", "--json"]),
      run(["generate", "my-model-bf16", "--tokens", "1,2", "--max-new-tokens", "2", "--json"]),
      run(["inspect", model.id, "--json"]),
    ])
    expect(list.json()).toEqual({ models: [model] })
    for (const field of ["id", "path", "architecture", "format", "parameters", "disk_bytes", "license", "source"])
      expect(model).toHaveProperty(field)
    expect(show.json()).toEqual(model)
    expect(generated.json()).toMatchObject({ prompt_tokens: 2 })
    expect(inspected.json()).toMatchObject({ path: folder })

    const removed = await run(["models", "rm", "my-model"])
    expect(removed.out).toBe(`my-model removed from the list; ${folder} stays\n`)
    expect(existsSync(join(folder, "model.safetensors"))).toBe(true)
    expect((await run(["models", "list", "--json"])).json()).toEqual({ models: [] })
  })

  it("copies when asked to, and deletes its own copy", async () => {
    const model = (await run(["models", "import", join(models, "gguf/llama-bpe-bf16.gguf"), "--copy", "--json"])).json<InstalledModel>()
    expect(model.isOwned).toBe(true)
    expect(model.path.startsWith(join(home, "models"))).toBe(true)
    const removed = await run(["models", "rm", model.id, "--json"])
    expect(removed.json()).toMatchObject({ id: model.id, path: model.path })
    expect(removed.json<{ freed_bytes: number }>().freed_bytes).toBeGreaterThan(50_000)
    expect(readdirSync(join(home, "models"))).toEqual([])
  })

  it("names what there is when a name fits nothing", async () => {
    await run(["models", "import", join(models, "llama")])
    const [show, generate, bad] = await Promise.all([
      run(["models", "show", "lama", "--json"]),
      run(["generate", "lama", "--prompt", "x"]),
      run(["models", "import", scratch, "--json"]),
    ])
    expect([show.code, show.json()]).toMatchObject([1, { error: { code: "not_found", hint: expect.stringContaining("llama-bf16") } }])
    expect([generate.code, generate.error]).toEqual([1, expect.stringContaining('There is no folder, file or installed model "lama".')])
    expect([bad.code, bad.json()]).toMatchObject([1, { error: { code: "bad_input", message: expect.stringContaining("config.json") } }])
  })

  it("says that there is none, on standard error", async () => {
    const { code, out, error } = await run(["models", "list"])
    expect([code, out]).toEqual([0, ""])
    expect(error).toContain("nibble models pull starter")
  })
})

describe("pull", () => {
  const weights = "model.safetensors"
  const bytes = () => hub.requests.filter(({ server }) => server === "storage").map(({ path, range }) => [path.split("?")[0], range])
  const downloads = () => readdirSync(join(home, "downloads")).filter((name) => name !== "headers")
  let hub: TestHub

  async function withHub(repository: RepositoryWish): Promise<(args: string[], options?: RunOptions) => ReturnType<typeof run>> {
    hub = await startHub({ repositories: [repository] })
    onTestFinished(() => hub.close())
    return (args, { env, ...options } = {}) =>
      run(["models", "pull", ...args], { ...options, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: join(home, "huggingface"), ...env } })
  }

  /** Does something to the process as soon as `isTime`. */
  function when(isTime: () => boolean, act: (child: ChildProcess) => void): RunOptions {
    return {
      onStart(child) {
        const timer = setInterval(() => {
          try {
            if (!isTime()) return
          } catch {
            return
          }
          clearInterval(timer)
          act(child)
        }, 20)
      },
    }
  }

  it("gets the starter model by its hub name, quantized", async () => {
    const name = "HuggingFaceTB/SmolLM2-135M-Instruct"
    const pull = await withHub({ name, folder: join(models, "llama") })
    const pulled = await pull([name, "--format", "int8", "--json"], { env: { NIBBLE_STARTER_SOURCE: "hub" } })
    expect(pulled.code).toBe(0)
    expect(pulled.json()).toMatchObject({ format: "int8", isOwned: true, source: expect.stringMatching(/^quantized:/) })
    const { models: all } = (await run(["models", "list", "--json"])).json<{ models: InstalledModel[] }>()
    expect(all.map(({ format }) => format).sort()).toEqual(["bf16", "int8"])
  })

  it("gets another model as it is, once", async () => {
    const pull = await withHub({ name: "tiny/qwen", folder: join(models, "qwen2") })
    const pulled = await pull(["tiny/qwen@main", "--json"])
    expect(pulled.error).toBe("")
    const model = pulled.json<InstalledModel>()
    expect(model).toMatchObject({
      name: "qwen",
      architecture: "Qwen2ForCausalLM",
      isOwned: true,
      source: expect.stringMatching(/^hub:tiny\/qwen@[0-9a-f]{40}$/),
    })
    expect(readFileSync(join(model.path, weights))).toEqual(readFileSync(join(models, "qwen2", weights)))
    hub.requests.length = 0
    expect((await pull(["tiny/qwen", "--json"])).json()).toEqual(model)
    expect(bytes()).toEqual([])
    expect(downloads()).toEqual([])
  })

  it("quantizes while it arrives, and keeps the originals if asked to", async () => {
    const pull = await withHub({ name: "tiny/llama", folder: join(models, "llama-tied-sharded") })
    const quantized = (await pull(["tiny/llama", "--format", "nf4", "--json"])).json<InstalledModel>()
    expect(quantized).toMatchObject({ format: "nf4", isOwned: true, source: expect.stringMatching(/^hub:tiny\/llama@/) })
    expect(readdirSync(join(home, "models"))).toEqual(["llama-nf4"])
    expect((await pull(["tiny/llama", "--format", "nf4", "--json"])).json()).toEqual(quantized)
    const other = await pull(["tiny/llama", "--format", "int8", "--keep-originals"])
    expect([other.code, other.out]).toEqual([0, expect.stringContaining("int8")])
    expect(readdirSync(join(home, "models")).sort()).toEqual(["llama", "llama-int8", "llama-nf4"])
    // The original is known by now.
    hub.requests.length = 0
    expect((await pull(["tiny/llama", "--json"])).json()).toMatchObject({ format: "bf16" })
    expect(bytes()).toEqual([])
  })

  it("gets one of several GGUF files, and says which there are", async () => {
    const file = (name: string) => readFileSync(join(models, "gguf", name))
    const files = { "tiny-q4_k_m.gguf": file("qwen2-q4_0.gguf"), "tiny-q8_0.gguf": file("llama-bpe-bf16.gguf") }
    const pull = await withHub({ name: "tiny/llama-gguf", files })
    const wrong = await pull(["tiny/llama-gguf", "--variant", "tiny-q2.gguf", "--json"])
    expect([wrong.code, wrong.json()]).toMatchObject([
      1,
      {
        error: { code: "not_found", message: "tiny/llama-gguf has no file tiny-q2.gguf.", hint: expect.stringContaining("tiny-q8_0") },
      },
    ])
    const pulled = (await pull(["tiny/llama-gguf", "--variant", "tiny-q8_0.gguf", "--json"])).json<InstalledModel>()
    expect(readFileSync(pulled.path)).toEqual(files["tiny-q8_0.gguf"])
    expect((await pull(["tiny/llama-gguf", "--variant", "tiny-q8_0.gguf", "--json"])).json()).toEqual(pulled)
    const usual = (await pull(["tiny/llama-gguf", "--json"])).json<InstalledModel>()
    expect(usual.path).toMatch(/tiny-q4_k_m\.gguf$/)
  })

  it("uses what is in the Hugging Face cache", async () => {
    const pull = await withHub({ name: "tiny/qwen", folder: join(models, "qwen2") })
    const content = readFileSync(join(models, "qwen2", weights))
    const blobs = join(home, "huggingface/hub/models--tiny--qwen/blobs")
    mkdirSync(blobs, { recursive: true })
    writeFileSync(join(blobs, createHash("sha256").update(content).digest("hex")), content)
    const { path } = (await pull(["tiny/qwen", "--json"])).json<InstalledModel>()
    expect(readFileSync(join(path, weights))).toEqual(content)
    // Its header was read before, for what it is.
    const whole = bytes().filter(([, range]) => range === undefined || range === "bytes=0-")
    expect(whole.filter(([path]) => path?.endsWith(weights))).toEqual([])
  })

  it("refuses an architecture before the weights, and says what permission is missing", async () => {
    const config = JSON.parse(readFileSync(join(models, "llama/config.json"), "utf8"))
    const foreign = JSON.stringify({ ...config, architectures: ["FooForCausalLM"], model_type: "foo" })
    const files = { "config.json": foreign, [weights]: readFileSync(join(models, "llama", weights)) }
    const pull = await withHub({ name: "tiny/foo", files })
    const refused = await pull(["tiny/foo", "--json"])
    expect([refused.code, refused.json()]).toMatchObject([
      1,
      { error: { code: "unsupported", message: expect.stringContaining("FooForCausalLM") } },
    ])
    expect([readdirSync(join(home, "models")), downloads()]).toEqual([[], []])

    const gated = await withHub({ name: "tiny/gated", folder: join(models, "llama"), access: "gated" })
    const closed = await gated(["tiny/gated", "--json"])
    expect([closed.code, closed.json()]).toMatchObject([
      1,
      { error: { code: "no_permission", hint: expect.stringContaining(`${hub.endpoint}/tiny/gated`) } },
    ])
    expect(downloads()).toEqual([])
  })

  it("installs nothing whose hash is wrong", async () => {
    const pull = await withHub({ name: "tiny/bad", folder: join(models, "qwen2") })
    hub.faults.add({ match: weights, kind: "corrupt", at: 30_000 })
    const { code } = await pull(["tiny/bad"])
    expect(code).toBe(1)
    expect(readdirSync(join(home, "models"))).toEqual([])
    expect((await run(["models", "list", "--json"])).json()).toEqual({ models: [] })
  })

  it("goes on after kill -9 with what had arrived", async () => {
    const pull = await withHub({ name: "tiny/qwen", folder: join(models, "qwen2") })
    // Its headers, which are fetched once.
    await run(["plan", "tiny/qwen"], { env: { HF_ENDPOINT: hub.endpoint } })
    hub.faults.add({ match: weights, kind: "stall", at: 20_000 })
    const state = () => {
      const [folder = ""] = downloads()
      return JSON.parse(readFileSync(join(home, "downloads", folder, "files", `${weights}.part.json`), "utf8"))
    }
    const isTime = () => state().done[0].to >= 20_000
    const killed = await pull(
      ["tiny/qwen"],
      when(isTime, (child) => child.kill("SIGKILL")),
    )
    expect(killed.code).toBeNull()
    hub.faults.clear()
    hub.requests.length = 0
    const { path } = (await pull(["tiny/qwen", "--json"])).json<InstalledModel>()
    expect(readFileSync(join(path, weights))).toEqual(readFileSync(join(models, "qwen2", weights)))
    expect(bytes()).toEqual([[`/tiny/qwen/${weights}`, "bytes=20000-"]])
    expect(downloads()).toEqual([])
  })

  it("is paused by Ctrl+C with nothing installed; a second process leaves it alone meanwhile, and goes on afterwards", async () => {
    const pull = await withHub({ name: "tiny/slow", folder: join(models, "qwen2") })
    // Its headers, which are fetched once.
    await run(["plan", "tiny/slow"], { env: { HF_ENDPOINT: hub.endpoint } })
    hub.faults.add({ match: weights, kind: "stall", at: 20_000 })
    let second: Awaited<ReturnType<typeof run>> | undefined
    const first = await pull(
      ["tiny/slow", "--json"],
      when(
        () => bytes().filter(([path]) => path?.endsWith(weights)).length > 1,
        async (child) => {
          second = await pull(["tiny/slow", "--json"])
          child.kill("SIGINT")
        },
      ),
    )
    expect([second?.code, second?.json()]).toMatchObject([1, { error: { code: "busy" } }])
    expect([first.code, first.json()]).toEqual([130, { error: { code: "cancelled", message: "Cancelled." } }])
    expect(readdirSync(join(home, "models"))).toEqual([])
    hub.faults.clear()
    expect((await pull(["tiny/slow", "--json"])).json()).toMatchObject({ name: "slow" })
  })
})
