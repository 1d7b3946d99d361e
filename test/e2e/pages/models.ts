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

  /** From the first screen or the models place: looks at a path in the dialog. */
  async look(path: string): Promise<void> {
    await this.path.fill(path)
    await this.page.getByRole("button", { name: "Look" }).click()
  }

  /** The first model of an empty data folder: read where it lies, as it is, ready to chat. */
  async addAndLoad(path: string): Promise<void> {
    await this.page.getByRole("button", { name: "Choose model" }).click()
    await this.look(path)
    const format = this.page.getByRole("combobox", { name: "Weights" })
    const load = this.page.getByRole("button", { name: /^Add and / })
    await expect(load).toBeVisible()
    if (await format.isVisible()) {
      await format.click()
      await this.page.getByRole("option", { name: "As it is" }).click()
    }
    await load.click()
    await expect(new ChatView(this.page).message).toBeEnabled()
  }
}
