// The end-to-end tests: the built app, served on loopback, in a real Chromium.
import { defineConfig } from "@playwright/test"
import { findBrowser } from "./scripts/browser.mjs"

const browser = findBrowser()

export default defineConfig({
  testDir: "test/e2e",
  outputDir: "test-results",
  // The engine uses all cores: one test at a time.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: "list",
  use: {
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    // Without a path Playwright uses its own download. It starts Chromium without the sandbox, which root could not have.
    launchOptions: browser ? { executablePath: browser } : {},
  },
})
