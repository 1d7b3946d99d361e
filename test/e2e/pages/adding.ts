// The wizard: five steps from a model's name to a chat.
import type { Locator, Page } from "@playwright/test"

export class AddingView {
  readonly search: Locator
  readonly results: Locator
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
    this.search = page.getByRole("searchbox")
    this.results = page.getByRole("region", { name: "Models found" })
  }

  async open(): Promise<void> {
    await this.page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Models" }).click()
    await this.page.getByRole("button", { name: "Add model" }).click()
  }

  async choose(name: RegExp): Promise<void> {
    await this.results.getByRole("button", { name }).click()
  }

  /** The way on, at the right of a step's foot. */
  action(name: string | RegExp): Locator {
    return this.page.locator("footer").getByRole("button", { name })
  }

  step(name: string): Locator {
    return this.page.getByRole("navigation", { name: "Steps" }).getByRole("button", { name: new RegExp(name) })
  }

  /** Text of the row of a file. */
  file(name: string): Locator {
    return this.page.getByRole("listitem").filter({ hasText: name })
  }
}
