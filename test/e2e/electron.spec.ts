// The desktop window, where an Electron binary and a display are: what was set really holds in it.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { _electron, type ElectronApplication, expect, test } from "@playwright/test"
import { findElectron } from "../../scripts/electron.mjs"
import { top } from "../../scripts/places.mjs"

const found: { binary?: string; reason?: string } = await findElectron()

// The reason stands in the title, because the list of results shows no other place.
test.describe(found.binary ? "the Electron window" : `the Electron window (skipped: ${found.reason})`, () => {
  test.skip(!found.binary, found.reason)

  let home: string
  let app: ElectronApplication
  test.beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), "nibble-electron-"))
    app = await _electron.launch({
      executablePath: found.binary ?? "",
      args: [join(top, "dist/main/electron.mjs")],
      env: { ...(process.env as Record<string, string>), NIBBLE_HOME: home },
    })
  })
  test.afterEach(async () => {
    await app.close()
    rmSync(home, { recursive: true, force: true })
  })

  test("opens on the page, sandboxed, under the content policy", async () => {
    const page = await app.firstWindow()
    await expect(page.locator("#root > *").first()).toBeVisible()
    expect(page.url()).toMatch(/^app:\/\/nibble\//)
    expect(await page.evaluate(() => typeof (globalThis as { require?: unknown }).require)).toBe("undefined")
    const preferences = await app.evaluate(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
      return contents.getLastWebPreferences()
    })
    expect(preferences).toMatchObject({ sandbox: true, contextIsolation: true, nodeIntegration: false, webSecurity: true })
    const policy = await page.evaluate(async () => (await fetch("index.html")).headers.get("content-security-policy"))
    expect(policy).toContain("default-src 'none'")
  })

  test("cannot reach anything but its own files", async () => {
    const page = await app.firstWindow()
    const reached = await page.evaluate(() =>
      fetch("https://example.com/").then(
        () => true,
        () => false,
      ),
    )
    expect(reached).toBe(false)
    await page.evaluate(() => {
      location.href = "https://example.com/"
    })
    await expect.poll(() => page.url()).toMatch(/^app:\/\/nibble\//)
    expect(await page.evaluate(() => window.open("https://example.com/"))).toBeNull()
    expect(app.windows()).toHaveLength(1)
  })

  test("talks to main through its port, again after a reload", async () => {
    const page = await app.firstWindow()
    await expect(page.getByRole("alert")).toHaveCount(0)
    await page.reload()
    await expect(page.locator("#root > *").first()).toBeVisible()
    await expect(page.getByRole("button").first()).toBeEnabled()
  })
})
