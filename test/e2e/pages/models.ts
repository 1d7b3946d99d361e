// The models place: adding a folder or file, quantizing, loading, removing.
import { expect, type Locator, type Page } from "@playwright/test"
import { ChatView } from "./chat.ts"

export class ModelsView {
  readonly add: Locator
  readonly path: Locator
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
    this.add = page.getByRole("button", { name: "Add model" })
    this.path = page.getByRole("textbox", { name: "Path of a folder or GGUF file" })
  }

  async open(): Promise<void> {
    await this.page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Models" }).click()
  }

  /** By the menu of a model in the list, which is named with its format: the source of a quantized one has the same name. */
  async choose(model: string, what: string): Promise<void> {
    await this.page.getByRole("button", { name: `More for ${model}` }).click()
    await this.page.getByRole("menuitem", { name: what }).click()
  }

  /** In the wizard's first step: looks at a path of this computer. */
  async look(path: string): Promise<void> {
    await this.page.getByRole("button", { name: "From this computer" }).click()
    await this.path.fill(path)
    await this.page.getByRole("button", { name: "Look" }).click()
  }

  /** To the wizard's second step, with the model that is looked at. */
  async plan(): Promise<void> {
    // The step of that name is a button, too.
    await this.page.locator("section").getByRole("button", { name: "Plan", exact: true }).click()
  }

  /** The first model of an empty data folder: read where it lies, as it is, ready to chat. */
  async addAndLoad(path: string): Promise<void> {
    await this.page.getByRole("button", { name: "Choose model" }).click()
    await this.look(path)
    await this.plan()
    await this.page.getByRole("radio", { name: /as it is/ }).check()
    await this.page.getByRole("button", { name: "Add it" }).click()
    await this.page.getByRole("button", { name: "Chat", exact: true }).click()
    await expect(new ChatView(this.page).message).toBeEnabled()
  }
}
