// Installed models by command: getting them, naming them, removing them.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { startHub as startTestHub } from "../../hub/hub.ts"
import { startHub } from "./fake-hub.ts"
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
  it("gets the starter model by its hub name, quantized", async () => {
    const name = "HuggingFaceTB/SmolLM2-135M-Instruct"
    const hub = await startHub(name, join(models, "llama"))
    try {
      const pulled = await run(["models", "pull", name, "--format", "int8", "--json"], {
        env: { HF_ENDPOINT: hub.endpoint, NIBBLE_STARTER_SOURCE: "hub" },
      })
      expect(pulled.code).toBe(0)
      expect(pulled.json()).toMatchObject({ format: "int8", isOwned: true, source: expect.stringMatching(/^quantized:/) })
      const { models: all } = (await run(["models", "list", "--json"])).json<{ models: InstalledModel[] }>()
      expect(all.map(({ format }) => format).sort()).toEqual(["bf16", "int8"])
    } finally {
      await hub.close()
    }
  })

  it("gets another model as it is, once", async () => {
    const hub = await startHub("tiny/qwen", join(models, "qwen2"))
    try {
      const env = { HF_ENDPOINT: hub.endpoint }
      const pulled = await run(["models", "pull", "tiny/qwen@main", "--json"], { env })
      expect(pulled.error).toBe("")
      const model = pulled.json<InstalledModel>()
      expect(model).toMatchObject({
        name: "qwen",
        architecture: "Qwen2ForCausalLM",
        isOwned: true,
        source: expect.stringMatching(/^hub:tiny\/qwen@[0-9a-f]{40}$/),
      })
      expect(readFileSync(join(model.path, "model.safetensors"))).toEqual(readFileSync(join(models, "qwen2/model.safetensors")))
      const before = hub.asked.length
      expect((await run(["models", "pull", "tiny/qwen", "--json"], { env })).json()).toEqual(model)
      expect(hub.asked.slice(before).filter((path) => path.includes("/resolve/"))).toEqual([])
      expect(readdirSync(join(home, "downloads"))).toEqual([])
    } finally {
      await hub.close()
    }
  })

  it("refuses an architecture by its configuration, before the weights", async () => {
    const folder = join(scratch, "foreign")
    cpSync(join(models, "llama"), folder, { recursive: true })
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, architectures: ["FooForCausalLM"], model_type: "foo" }))
    const hub = await startHub("tiny/foo", folder)
    try {
      const run1 = await run(["models", "pull", "tiny/foo", "--json"], { env: { HF_ENDPOINT: hub.endpoint } })
      expect([run1.code, run1.json()]).toMatchObject([
        1,
        { error: { code: "unsupported", message: expect.stringContaining("FooForCausalLM") } },
      ])
      expect(hub.asked.some((path) => path.endsWith(".safetensors"))).toBe(false)
      expect([readdirSync(join(home, "models")), readdirSync(join(home, "downloads"))]).toEqual([[], []])
    } finally {
      await hub.close()
    }
  })

  it("installs nothing whose hash is wrong", async () => {
    const hub = await startHub("tiny/bad", join(models, "qwen2"), {
      change: (file, content) => (file.endsWith(".safetensors") ? Buffer.alloc(content.length) : content),
    })
    try {
      const { code } = await run(["models", "pull", "tiny/bad"], { env: { HF_ENDPOINT: hub.endpoint } })
      expect(code).toBe(1)
      expect(readdirSync(join(home, "models"))).toEqual([])
      expect((await run(["models", "list", "--json"])).json()).toEqual({ models: [] })
    } finally {
      await hub.close()
    }
  })

  it("goes on after kill -9 with what had arrived", async () => {
    const file = "model.safetensors"
    const hub = await startTestHub({ repositories: [{ name: "tiny/qwen", folder: join(models, "qwen2") }] })
    try {
      hub.faults.add({ match: file, kind: "stall", at: 20_000 })
      const env = { HF_ENDPOINT: hub.endpoint }
      const state = () => {
        const [folder = ""] = readdirSync(join(home, "downloads"))
        return JSON.parse(readFileSync(join(home, "downloads", folder, `${file}.part.json`), "utf8"))
      }
      const killed = await run(["models", "pull", "tiny/qwen"], {
        env,
        onStart(child) {
          const timer = setInterval(() => {
            try {
              if (state().done[0].to < 20_000) return
            } catch {
              return
            }
            clearInterval(timer)
            child.kill("SIGKILL")
          }, 20)
        },
      })
      expect(killed.code).toBeNull()
      hub.faults.clear()
      hub.requests.length = 0
      const pulled = await run(["models", "pull", "tiny/qwen", "--json"], { env })
      const { path } = pulled.json<InstalledModel>()
      expect(readFileSync(join(path, file))).toEqual(readFileSync(join(models, "qwen2", file)))
      expect(hub.requests.filter(({ server }) => server === "storage").map(({ range }) => range)).toEqual(["bytes=20000-"])
      expect(hub.requests.filter(({ path: address }) => address.endsWith("/config.json"))).toEqual([])
      expect(readdirSync(join(home, "downloads"))).toEqual([])
    } finally {
      await hub.close()
    }
  })

  it("is cancelled by Ctrl+C with nothing installed", async () => {
    const hub = await startHub("tiny/slow", join(models, "qwen2"), { stall: /\.safetensors$/ })
    try {
      const { code, out } = await run(["models", "pull", "tiny/slow", "--json"], {
        env: { HF_ENDPOINT: hub.endpoint },
        onStart(child) {
          const timer = setInterval(() => {
            if (!hub.asked.some((path) => path.endsWith(".safetensors"))) return
            clearInterval(timer)
            child.kill("SIGINT")
          }, 20)
        },
      })
      expect([code, JSON.parse(out)]).toEqual([130, { error: { code: "cancelled", message: "Cancelled." } }])
      expect(readdirSync(join(home, "models"))).toEqual([])
    } finally {
      await hub.close()
    }
  })
})
