// From the hub to a chat, with everything that goes wrong on the way: a pause, a killed program, a byte that is not the right one.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Locator } from "@playwright/test"
import { top } from "../../scripts/places.mjs"
import { startHub, type TestHub } from "../hub/hub.ts"
import { test as base, expect, ServedApp } from "./fixtures.ts"
import { look } from "./look.ts"
import { AddingView } from "./pages/adding.ts"
import { ChatView } from "./pages/chat.ts"

const models = join(top, "test/fixtures/models")
const shards = [1, 2, 3].map((number) => `model-0000${number}-of-00003.safetensors`)

const test = base.extend<{ hub: TestHub; hubApp: ServedApp }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the needed fixtures from this pattern.
  hub: async ({}, use) => {
    const hub = await startHub({
      account: { token: "hf_right", name: "ada" },
      repositories: [
        { name: "org/tiny-llama", folder: join(models, "llama-tied-sharded"), license: "mit", downloads: 500 },
        { name: "org/gated", folder: join(models, "llama"), access: "gated", license: "llama3.1" },
        {
          name: "org/jamba",
          files: { "config.json": '{"architectures": ["JambaForCausalLM"]}', "model.safetensors": "", "tokenizer.json": "{}" },
        },
      ],
    })
    await use(hub)
    await hub.close()
  },
  hubApp: async ({ home, hub }, use) => {
    const cache = mkdtempSync(join(tmpdir(), "nibble-e2e-cache-"))
    const app = new ServedApp(home, { HF_ENDPOINT: hub.endpoint, HF_HOME: cache, HF_TOKEN: "" })
    await app.start()
    await use(app)
    await app.stop()
    rmSync(cache, { recursive: true, force: true })
  },
})

test("search, plan, download through a pause, a kill and a wrong byte, quantize meanwhile, check, chat", async ({ hub, hubApp, page }) => {
  const adding = new AddingView(page)
  await page.goto(hubApp.url)
  await adding.open()
  await adding.search.fill("tiny")
  await expect(adding.results.getByRole("button")).toHaveCount(1)
  await look(page)
  await adding.choose(/tiny-llama/)
  const panel = page.getByRole("region", { name: "tiny-llama" })
  await expect(panel).toContainText("supported")
  await look(page)
  await panel.getByRole("button", { name: "Plan" }).click()

  const nf4 = page.getByRole("radio", { name: /NF4 \+ DQ/ })
  await nf4.check()
  await expect(page.getByRole("table", { name: "Formats side by side" })).toContainText("typical")
  await look(page)
  // Nothing of the weights but their headers so far.
  const wholes = () =>
    hub.requests.filter(({ server, range, path }) => server === "storage" && range === undefined && path.includes("safetensors"))
  expect(wholes()).toEqual([])

  hub.bytesPerSecond = 8_000
  hub.faults.add({ match: shards[1] as string, kind: "corrupt", at: 50_000, times: 1 })
  await adding.action(/^Download/).click()
  await expect(adding.file(shards[0] as string)).toContainText("downloading")
  await look(page)
  await adding.action("Pause").click()
  await expect(adding.action("Go on")).toBeVisible()
  await adding.action("Go on").click()
  await expect(adding.file(shards[0] as string)).toContainText("downloading")

  await hubApp.kill()
  await hubApp.start()
  hub.bytesPerSecond = 0
  await page.goto(hubApp.url)
  await adding.open()
  await page
    .getByRole("button", { name: /^tiny-llama/ })
    .first()
    .click()
  await expect(page.getByText("tiny-llama is ready in 4-bit (NF4 + DQ)")).toBeVisible({ timeout: 60_000 })
  await expect(page.getByText("% same next word, measured here")).toBeVisible()
  await look(page)
  await adding.step("Quantize and check").click()
  await expect(page.getByText("Kept in 16 bits")).toBeVisible()
  await look(page)
  await adding.step("Done").click()
  await page.getByRole("button", { name: "Chat", exact: true }).click()
  const chat = new ChatView(page)
  await chat.makeGreedy()
  await chat.setLongestReply(5)
  await chat.ask("Hello")
  await expect(await chat.finished()).toContainText(/\S/)
})

test("what is closed says how it opens, what cannot be used says why", async ({ hubApp, page }) => {
  const adding = new AddingView(page)
  await page.goto(hubApp.url)
  await adding.open()
  await page.getByRole("button", { name: "Supported only" }).click()
  await expect(adding.results.getByRole("button", { name: /jamba/ })).toContainText("JambaForCausalLM")
  await adding.choose(/gated/)
  const panel = page.getByRole("region", { name: "gated" })
  await expect(panel).toContainText("Its terms have to be accepted first")
  await look(page)
  await panel.getByLabel("Access token of the hub").fill("hf_wrong")
  await panel.getByRole("button", { name: "Save token" }).click()
  await expect(panel.getByRole("alert").filter({ hasText: "does not know this access token" })).toBeVisible()
  await panel.getByLabel("Access token of the hub").fill("hf_right")
  await panel.getByRole("button", { name: "Save token" }).click()
  await expect(panel.getByRole("button", { name: "Plan" })).toBeVisible()
})

test("by keyboard alone", async ({ hubApp, page }) => {
  const adding = new AddingView(page)
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key)
  }
  async function tabTo(target: Locator): Promise<void> {
    await expect(target).toBeVisible()
    for (let steps = 0; steps < 40; steps++) {
      if (await target.evaluate((element) => element === document.activeElement)) return
      await press("Tab")
    }
    throw new Error(`${target} is not reached by Tab`)
  }
  await page.goto(hubApp.url)
  await tabTo(page.getByRole("link", { name: "Models" }))
  await press("Enter")
  await tabTo(page.getByRole("button", { name: "Add model" }))
  await press("Enter")
  await tabTo(adding.search)
  await page.keyboard.type("tiny")
  await expect(adding.results.getByRole("button")).toHaveCount(1)
  await tabTo(adding.results.getByRole("button"))
  await press("Enter")
  await tabTo(page.getByRole("region", { name: "tiny-llama" }).getByRole("button", { name: "Plan" }))
  await press("Enter")
  await tabTo(page.getByRole("radio", { name: /BF16/ }))
  await press("ArrowDown", "ArrowDown")
  await expect(page.getByRole("radio", { name: "4-bit (NF4) nf4" })).toBeChecked()
  await tabTo(adding.action(/^Download/))
  await press("Enter")
  await expect(page.getByText("tiny-llama is ready in 4-bit (NF4)")).toBeVisible({ timeout: 60_000 })
  await tabTo(page.getByRole("button", { name: "Chat", exact: true }))
  await press("Enter")
  await expect(new ChatView(page).message).toBeFocused()
})

test("an error of the download stands where it happened, with a way on", async ({ hub, hubApp, page }) => {
  const adding = new AddingView(page)
  await page.goto(hubApp.url)
  await adding.open()
  await adding.choose(/tiny-llama/)
  await page.getByRole("region", { name: "tiny-llama" }).getByRole("button", { name: "Plan" }).click()
  await page.getByRole("radio", { name: /NF4 \+ DQ/ }).check()
  hub.faults.add({ match: shards[2] as string, kind: "status", status: 404, times: 1 })
  await adding.action(/^Download/).click()
  await expect(page.getByRole("alert").filter({ hasText: "is not there (HTTP 404)" })).toBeVisible()
  await look(page)
  hub.faults.add({ match: shards[2] as string, kind: "status", status: 429, headers: { "retry-after": "2" }, times: 1 })
  await page.getByRole("button", { name: "Try again" }).click()
  await expect(adding.file(shards[2] as string)).toContainText(/again in.*HTTP 429/s)
  await expect(page.getByText("tiny-llama is ready in 4-bit (NF4 + DQ)")).toBeVisible({ timeout: 60_000 })
})
