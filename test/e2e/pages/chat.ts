// The chat: composer, replies with their figures, the list of chats, and the note after an engine that died.
import { expect, type Locator, type Page } from "@playwright/test"

export class ChatView {
  readonly message: Locator
  readonly send: Locator
  readonly stop: Locator
  readonly replies: Locator
  readonly settings: Locator
  readonly reload: Locator
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
    this.message = page.getByRole("textbox", { name: "Message", exact: true })
    this.send = page.getByRole("button", { name: "Send", exact: true })
    this.stop = page.getByRole("button", { name: "Stop", exact: true })
    // Messages of the user are articles too, named "You".
    this.replies = page.getByRole("article", { name: /^(?!You$)/ })
    this.settings = page.getByRole("button", { name: "Chat settings" })
    this.reload = page.getByRole("button", { name: "Reload the model" })
  }

  /** The last reply, finished: its figures stand under it. */
  async finished(): Promise<Locator> {
    const last = this.replies.last()
    await expect(last.getByText(/[\d.]+ tokens\/s/)).toBeVisible({ timeout: 90_000 })
    return last
  }

  /** Waits until the reply grows; gives its first words. */
  async writing(): Promise<string> {
    await expect(this.replies.last()).not.toContainText("Reading the conversation")
    const prose = this.replies.last().getByRole("paragraph").first()
    await expect(prose).toContainText(/\S+ \S+/)
    return ((await prose.textContent()) ?? "").trim()
  }

  async ask(text: string): Promise<void> {
    await this.message.fill(text)
    // Not before the model is loaded.
    await expect(this.send).toBeEnabled({ timeout: 60_000 })
    await this.message.press("Enter")
  }

  /** Always the most likely token, so that an answer is the same every time. */
  async makeGreedy(): Promise<void> {
    await this.settings.click()
    await this.page.getByRole("slider", { name: "Temperature" }).press("Home")
    await this.page.getByRole("slider", { name: "Repeat penalty" }).press("Home")
    await this.settings.click()
  }

  async setLongestReply(tokens: number): Promise<void> {
    await this.settings.click()
    const field = this.page.getByLabel("Longest reply, in tokens")
    await field.fill(String(tokens))
    await field.press("Enter")
    await this.settings.click()
  }

  chatNamed(title: string): Locator {
    return this.page.getByRole("complementary", { name: "Chats" }).getByRole("button", { name: title, exact: true })
  }
}
