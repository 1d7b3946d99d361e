// Pictures of the running program with the starter model, to look at: node scripts/screenshots.mjs [folder]. First run, getting ready,
// chat, models, quantizing, planning and memory, in light and dark, 1280 and 420 pixels wide; build/screenshots unless a folder is named.
// Those that the README shows are copied from there to docs/screenshots.
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { findOrInstallBrowser } from "./browser.mjs"
import { cliBundle, pinnedNode, top } from "./places.mjs"
import { fail } from "./progress.mjs"
import { setUp } from "./setup.mjs"

const out = resolve(process.argv[2] ?? join(top, "build/screenshots"))
const widths = { 1280: { width: 1280, height: 800 }, 420: { width: 420, height: 860 } }
const themes = ["light", "dark"]
/** For the slowest of what is measured and planned again each second. */
const settledMs = 3000
const question = "What is the capital of France?"

/** A server on a data folder of its own; resolves with its address. */
function serve(home) {
  const env = { ...process.env, NIBBLE_HOME: home, BROWSER: "none" }
  const child = spawn(pinnedNode, [cliBundle, "serve", "--port", "0"], { env, stdio: ["ignore", "pipe", "inherit"] })
  const address = new Promise((give) => child.stdout.setEncoding("utf8").once("data", (text) => give(text.split("\n")[0])))
  const stop = () => new Promise((done) => child.once("exit", done) && child.kill("SIGINT"))
  return { address, stop }
}

/** What the starter model was quantized from: pip's GGUF file, or the folder from the hub. */
function starterOriginal(home) {
  const folder = join(home, "models/SmolLM2-135M-Instruct")
  const file = readdirSync(folder).find((name) => name.endsWith(".gguf"))
  return file ? join(folder, file) : folder
}

async function takeAll(page, name) {
  // What lies under the pointer would look chosen.
  await page.mouse.move(0, 0)
  for (const [label, size] of Object.entries(widths)) {
    await page.setViewportSize(size)
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme })
      // Fonts, and the moves that explain where something came from.
      await page.waitForTimeout(400)
      await page.screenshot({ path: join(out, `${name}-${label}-${theme}.png`) })
    }
  }
  await page.setViewportSize(widths[1280])
}

async function main() {
  await setUp()
  const { chromium } = await import("@playwright/test")
  mkdirSync(out, { recursive: true })
  const home = mkdtempSync(join(tmpdir(), "nibble-screenshots-"))
  const server = serve(home)
  const browser = await chromium.launch({ executablePath: await findOrInstallBrowser() })
  try {
    const page = await browser.newPage({ viewport: widths[1280] })
    await page.goto(await server.address)
    const begin = page.getByRole("button", { name: "Download and chat" })
    await begin.waitFor()
    await takeAll(page, "first-run")
    await begin.click()
    await page.getByText("Downloading", { exact: true }).waitFor()
    await page.getByText(/MiB\/s/).waitFor()
    await takeAll(page, "getting-ready")
    const message = page.getByRole("textbox", { name: "Message", exact: true })
    await message.waitFor({ timeout: 300_000 })
    await page.getByRole("button", { name: "Chat settings" }).click()
    await page.getByRole("slider", { name: "Temperature" }).press("Home")
    await page.getByRole("button", { name: "Chat settings" }).click()
    await message.fill(question)
    await message.press("Enter")
    await page.getByText(/tokens\/s/).waitFor({ timeout: 120_000 })
    await takeAll(page, "chat")
    await page.getByRole("link", { name: "Models" }).click()
    await takeAll(page, "models")
    await page
      .getByRole("button", { name: /^More for/ })
      .last()
      .click()
    await page.getByRole("menuitem", { name: "Quantize" }).click()
    await takeAll(page, "quantize")
    await page.keyboard.press("Escape")
    await page.getByRole("link", { name: "Memory" }).click()
    await page.getByRole("heading", { name: "What can this computer run?" }).waitFor()
    await page.waitForTimeout(settledMs)
    await takeAll(page, "memory")
    await page.getByRole("link", { name: "Models" }).click()
    await page.getByRole("button", { name: "Add model" }).click()
    await page.getByRole("button", { name: "From this computer" }).click()
    await page.getByRole("textbox", { name: "Path of a folder" }).fill(starterOriginal(home))
    await page.getByRole("button", { name: "Look" }).click()
    await page
      .getByRole("region", { name: /SmolLM2/ })
      .getByRole("button", { name: "Plan" })
      .click()
    await page.getByRole("radio", { name: /NF4/ }).first().waitFor()
    await page.waitForTimeout(settledMs)
    await takeAll(page, "plan")
  } finally {
    await browser.close()
    await server.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

await main().catch(fail)
