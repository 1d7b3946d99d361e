// Finds a Chrome or Chromium for the end-to-end tests, or installs one.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { pinnedNode, tools } from "./places.mjs"
import { Failure, runLogged } from "./progress.mjs"

const names = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "microsoft-edge"]
const fixedPlaces = {
  darwin: ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"],
  win32: [process.env.ProgramFiles, process.env["ProgramFiles(x86)"], process.env.LOCALAPPDATA]
    .filter(Boolean)
    .map((folder) => join(folder, "Google/Chrome/Application/chrome.exe")),
}

/** Asking for the version shows that it starts at all: Ubuntu's chromium-browser may be an empty shell, a download may lack libraries. */
const starts = (path) => process.platform === "win32" || spawnSync(path, ["--version"], { stdio: "ignore", timeout: 30_000 }).status === 0

/** The path of Playwright's own Chromium, whether it is there or not. */
function playwrightsOwn() {
  const ask = "import('@playwright/test').then((p) => process.stdout.write(p.chromium.executablePath()))"
  return spawnSync(pinnedNode, ["-e", ask], { cwd: join(tools.playwright, "../../.."), encoding: "utf8" }).stdout
}

/** The path of a browser that starts, or null. */
export function findBrowser() {
  if (process.env.CHROME_PATH) {
    if (!starts(process.env.CHROME_PATH)) throw new Failure(`CHROME_PATH names ${process.env.CHROME_PATH}, which does not start.`)
    return process.env.CHROME_PATH
  }
  const onPath = (process.env.PATH ?? "").split(":").flatMap((folder) => names.map((name) => join(folder, name)))
  const candidates = [...(process.platform === "win32" ? [] : onPath), ...(fixedPlaces[process.platform] ?? []), playwrightsOwn()]
  return candidates.find((path) => path && existsSync(path) && starts(path)) ?? null
}

/** Playwright's download first; as root also the distribution's package. Throws a Failure when neither gives a browser. */
export async function findOrInstallBrowser() {
  const found = findBrowser()
  if (found) return found
  const isRoot = process.getuid?.() === 0
  const attempts = [[pinnedNode, [tools.playwright, "install", "chromium", ...(isRoot ? ["--with-deps"] : [])], {}]]
  if (isRoot && existsSync("/usr/bin/apt-get")) {
    attempts.push(
      ["apt-get", ["update"], {}],
      ["apt-get", ["install", "-y", "--no-install-recommends", "chromium"], { DEBIAN_FRONTEND: "noninteractive" }],
    )
  }
  for (const [command, args, env] of attempts) {
    // A failed way is no end: the next one may work, and the check below decides.
    await runLogged("browser", command, args, { timeout: 300_000, env: { ...process.env, ...env } }).catch(() => {})
    const installed = findBrowser()
    if (installed) return installed
  }
  throw new Failure(
    "No Chrome or Chromium was found, and none could be installed. Set CHROME_PATH to one, or run: npx playwright install --with-deps chromium",
  )
}
