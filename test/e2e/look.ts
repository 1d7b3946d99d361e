// What every place and dialog must pass: nothing serious for axe, nothing wider than the screen.
import AxeBuilder from "@axe-core/playwright"
import { expect, type Page } from "@playwright/test"

export async function look(page: Page): Promise<void> {
  // By the roots' own sizes: what is scrolled inside a box is no fault.
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  expect(overflow, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0)
  const { violations } = await new AxeBuilder({ page }).analyze()
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical")
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([])
}
