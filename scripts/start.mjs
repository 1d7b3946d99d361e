// npm start: sets up what is missing, then opens the app: the Electron window where there is a display and a binary, the same
// page in the browser otherwise. Ctrl+C ends everything and is a proper end.
import { join } from "node:path"
import { findElectron } from "./electron.mjs"
import { cliBundle, pinnedNode, top } from "./places.mjs"
import { fail, runInForeground } from "./progress.mjs"
import { setUp } from "./setup.mjs"

let isInterrupted = false

/** A window that ends itself this soon with a failure never stood: a library is missing, or the sandbox is not allowed. */
const shortLife_ms = 5000

async function openWindow(binary) {
  const since = Date.now()
  const code = await runInForeground(binary, [join(top, "dist/main/electron.mjs")])
  const neverStood = code !== 0 && !isInterrupted && Date.now() - since < shortLife_ms
  return neverStood ? { reason: `Electron ended at once with code ${code}` } : { code }
}

async function servePage(reason) {
  process.stdout.write(`${reason}: serving the page to your browser instead. Ctrl+C ends it.\n`)
  const open = process.env.BROWSER === "none" ? [] : ["--open"]
  return runInForeground(pinnedNode, [cliBundle, "serve", ...open])
}

try {
  await setUp()
  for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => {
      isInterrupted = true
    })
  const found = await findElectron()
  const window = found.binary ? await openWindow(found.binary) : found
  const code = window.code ?? (await servePage(window.reason))
  process.exitCode = isInterrupted ? 0 : code
} catch (error) {
  fail(error)
}
