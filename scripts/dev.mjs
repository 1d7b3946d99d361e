// npm run dev: the page from Vite's development server, changed in place as its sources change, over a server of the real program, which is
// rebuilt and started anew when main, shared or native change.
import { spawn } from "node:child_process"
import { realpathSync, watch } from "node:fs"
import { join } from "node:path"
import { cliBundle, pinnedNode, top } from "./places.mjs"
import { fail, runInForeground } from "./progress.mjs"
import { setUp } from "./setup.mjs"

/** Edits that come together, such as a formatter's, are one change. */
const settle_ms = 200

/** Starts the program on `port` (0: a free one); resolves with `{ origin, cookie, stop }` once it serves. */
function serve(port) {
  const child = spawn(pinnedNode, [cliBundle, "serve", "--port", String(port)], { stdio: ["ignore", "pipe", "inherit"] })
  const ended = new Promise((resolve) => child.once("exit", resolve))
  return new Promise((resolve, reject) => {
    let out = ""
    child.once("exit", (code) => reject(new Error(`the server ended with code ${code}`)))
    child.stdout.setEncoding("utf8").on("data", async (text) => {
      out += text
      const address = out.match(/^(http:\/\/\S+)\r?\n/m)?.[1]
      if (!address) return
      child.stdout.removeAllListeners("data").resume()
      const answer = await fetch(address, { redirect: "manual" })
      const cookie = answer.headers.getSetCookie().map((one) => one.split(";")[0])
      const stop = () => child.kill("SIGTERM") && ended
      resolve({ origin: new URL(address).origin, cookie: cookie.join("; "), stop })
    })
  })
}

async function develop() {
  const { createServer } = await import("vite")
  let program = await serve(0)
  const port = new URL(program.origin).port
  const vite = await createServer({
    configFile: join(top, "vite.config.ts"),
    server: { host: "127.0.0.1", proxy: { "/rpc": { target: program.origin, ws: true, configure } } },
  })
  // The program takes calls from its own page only. So what comes from the page of this development server, and nothing else, is
  // passed on with the program's own origin and the token's cookie.
  function configure(proxy) {
    proxy.on("proxyReqWs", (outgoing, incoming, socket) => {
      const own = vite.resolvedUrls.local.some((url) => new URL(url).origin === incoming.headers.origin)
      if (!own) return socket.destroy()
      outgoing.setHeader("host", new URL(program.origin).host)
      outgoing.setHeader("origin", program.origin)
      outgoing.setHeader("cookie", program.cookie)
    })
  }
  await vite.listen()
  vite.printUrls()

  let timer
  const restart = async () => {
    try {
      await setUp({ skip: ["page"] })
      await program.stop()
      program = await serve(port)
    } catch (error) {
      process.stderr.write(`${error.message}\n`)
    }
  }
  for (const folder of ["main", "shared", "native"])
    watch(join(top, folder), { recursive: true }, () => {
      clearTimeout(timer)
      timer = setTimeout(restart, settle_ms)
    })
  const end = async () => {
    await Promise.all([vite.close(), program.stop()])
    process.exit(0)
  }
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end)
}

try {
  await setUp({ skip: ["page"] })
  // Compared where they really lie: node_modules may be a link.
  if (realpathSync(process.execPath) === realpathSync(pinnedNode)) await develop()
  else process.exitCode = await runInForeground(pinnedNode, [import.meta.filename ?? process.argv[1]])
} catch (error) {
  fail(error)
}
