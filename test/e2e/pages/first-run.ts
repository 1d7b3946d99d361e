// The first screen: the starter model on offer, getting it, and what is left of it after a cancel.
import type { Locator, Page } from "@playwright/test"

export class FirstRun {
  readonly title: Locator
  readonly begin: Locator
  readonly format: Locator
  readonly cancel: Locator
  readonly progress: Locator
  readonly chooseOwn: Locator
  private readonly page: Page

  constructor(page: Page) {
    this.page = page
    this.title = page.getByRole("heading", { name: "Start with a small model" })
    this.begin = page.getByRole("button", { name: "Download and chat" })
    this.format = page.getByRole("combobox", { name: "Weight format" })
    this.progress = page.getByRole("region", { name: /^Getting .+ ready$/ })
    this.cancel = this.progress.getByRole("button", { name: /^Cancel/ })
    this.chooseOwn = page.getByRole("button", { name: "Choose model" })
  }

  async chooseFormat(name: string): Promise<void> {
    await this.format.click()
    await this.page.getByRole("option", { name }).click()
  }

  /** The words of a phase, as they stand before its figures. */
  phase(name: "Downloading" | "Quantizing" | "Loading"): Locator {
    return this.progress.getByText(name, { exact: true })
  }
}
