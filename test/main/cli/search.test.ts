import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { startHub, type TestHub } from "../../hub/hub.ts"
import { models, nibble } from "./run-cli.ts"

const jamba = JSON.stringify({ architectures: ["JambaForCausalLM"], model_type: "jamba" })
let hub: TestHub

beforeAll(async () => {
  hub = await startHub({
    repositories: [
      { name: "a/llama", folder: join(models, "llama"), license: "mit" },
      { name: "a/jamba", files: { "config.json": jamba, "model.safetensors": "", "tokenizer.json": "{}" } },
    ],
  })
})
afterAll(() => hub.close())

const search = (...args: string[]) => nibble(["search", ...args], { env: { HF_ENDPOINT: hub.endpoint } })

test("lists what can run, as text and as JSON", async () => {
  const { out, code } = await search("a/")
  expect(code).toBe(0)
  expect(out).toMatch(/^a\/llama\n {4}.* B · mit · 100 downloads · bf16 in about/)
  expect((await search("a/", "--json")).json()).toMatchObject({ results: [{ name: "a/llama", supported: true }] })
})

test("with --all says why others cannot", async () => {
  expect((await search("jamba", "--all")).out).toContain("Architecture `JambaForCausalLM` is not supported yet.")
  expect((await search("jamba")).out).toBe(`Nothing on ${hub.endpoint} matches.\n`)
})
