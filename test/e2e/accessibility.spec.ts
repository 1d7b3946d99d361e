// Every place, in both themes and on a narrow screen: nothing serious for axe, no error in the console, nothing wider than the screen.
import { expect, test } from "./fixtures.ts"
import { look } from "./look.ts"

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 420]) {
    test(`first run, models, memory, settings, dialogs: ${colorScheme}, ${width} px`, async ({ app, page }) => {
      const complaints: string[] = []
      page.on("console", (message) => message.type() === "error" && complaints.push(message.text()))
      page.on("pageerror", (error) => complaints.push(error.message))
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
      await page.setViewportSize({ width, height: 860 })
      await page.goto(app.url)
      await expect(page.getByRole("button", { name: "Download and chat" })).toBeVisible()
      await look(page)
      const places = page.getByRole("navigation", { name: "Places" })
      await places.getByRole("link", { name: "Models" }).click()
      await expect(page.getByRole("heading", { name: "Models" })).toBeVisible()
      await look(page)
      await page.getByRole("button", { name: "Add model" }).first().click()
      await expect(page.getByRole("heading", { name: "Add a model" })).toBeVisible()
      await look(page)
      await page.keyboard.press("Escape")
      await places.getByRole("link", { name: "Memory" }).click()
      await expect(page.getByRole("heading", { name: "What can this computer run?" })).toBeVisible()
      await expect(page.getByText("Llama 3.3 70B")).toBeVisible()
      await look(page)
      await places.getByRole("link", { name: "Settings" }).click()
      await expect(page.getByText("Chats, settings and records")).toBeVisible()
      await look(page)
      await page.keyboard.press("Control+k")
      await expect(page.getByRole("dialog", { name: "All actions" })).toBeVisible()
      await look(page)
      expect(complaints).toEqual([])
    })
  }
}

test("in Chinese, chosen in the settings and kept", async ({ app, page }) => {
  await page.goto(app.url)
  await page.getByRole("link", { name: "Settings" }).click()
  await page.getByRole("radio", { name: "中文" }).click()
  await expect(page.locator("html")).toHaveAttribute("lang", /^zh/)
  await page.reload()
  await expect(page.getByRole("link", { name: "模型" })).toBeVisible()
})
