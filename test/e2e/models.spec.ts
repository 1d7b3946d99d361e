// The models place: what cannot run is added, quantized, and not offered for chat.
import { cpSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { top } from "../../scripts/places.mjs"
import { expect, test } from "./fixtures.ts"
import { look } from "./look.ts"
import { ModelsView } from "./pages/models.ts"

test("a model of an unknown architecture is added and quantized, and can be loaded in neither form", async ({ app, home, page }) => {
  const folder = join(home, "foreign")
  cpSync(join(top, "test/fixtures/models/llama"), folder, { recursive: true })
  const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, architectures: ["FooForCausalLM"], model_type: "foo" }))
  const models = new ModelsView(page)
  await page.goto(app.url)
  await models.open()
  await models.add.click()
  await models.look(folder)
  await expect(page.getByText("Can be quantized, cannot run here")).toBeVisible()
  await look(page)
  await models.plan()
  await page.getByRole("combobox", { name: "Format" }).click()
  await page.getByRole("option", { name: "as it is" }).click()
  await page.getByRole("button", { name: "Add it" }).click()
  await expect(page.getByText("on disk.")).toBeVisible()
  await models.open()
  await expect(page.getByText("Cannot run here", { exact: true })).toBeVisible()
  await expect(page.getByRole("button", { name: "Load", exact: true })).toHaveCount(0)
  await page.getByRole("button", { name: "Quantize", exact: true }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Quantize" }).click()
  const made = page.getByRole("listitem").filter({ hasText: "Quantized here from foreign" })
  await expect(made).toContainText("4-bit (NF4 + DQ)")
  await expect(made.getByRole("button", { name: "Load" })).toBeDisabled()
})
