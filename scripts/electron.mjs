// Whether the Electron window can be opened here, and if not, why, in half a sentence for the user.
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pinnedNode, top } from "./places.mjs"
import { runLogged, step } from "./progress.mjs"

const folder = join(top, "node_modules/electron")
const failureNote = join(top, "build/stamps/electron-missing.json")
const day_ms = 24 * 60 * 60 * 1000

/** `{ binary }`, or `{ reason }` when the page is to be served instead. Fetches Electron's binary on first use. */
export async function findElectron() {
  if (process.platform === "linux" && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return { reason: "There is no display" }
  if (process.getuid?.() === 0) return { reason: "Electron keeps its sandbox, which does not work as root" }
  return binary() ?? (await fetchBinary())
}

function binary() {
  const pathFile = join(folder, "path.txt")
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, "dist")
  const name = existsSync(pathFile) ? readFileSync(pathFile, "utf8") : "electron"
  return existsSync(join(dist, name)) ? { binary: join(dist, name) } : null
}

async function fetchBinary() {
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const missing = { reason: `Electron ${version} could not be downloaded (see build/logs/electron.log)` }
  // Where it failed today it is not tried again: a start must take seconds.
  const last = existsSync(failureNote) ? JSON.parse(readFileSync(failureNote, "utf8")) : null
  if (last?.version === version && Date.now() - last.at_ms < day_ms) return missing
  try {
    await step("[+]", `Fetching Electron ${version}`, () => runLogged("electron", pinnedNode, [join(folder, "install.js")]))
    return binary() ?? missing
  } catch {
    writeFileSync(failureNote, JSON.stringify({ version, at_ms: Date.now() }))
    return missing
  }
}
