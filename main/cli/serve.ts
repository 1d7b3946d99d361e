// nibble serve: the page in a browser, until Ctrl+C.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import { type CommandContext, defineCommand } from "./command.ts"

/** The same at each start, so that an open tab finds its way back. */
const usualPort = 4804

export const serve = defineCommand({
  name: "serve",
  summary: "The page, in a browser",
  positionals: [],
  options: {
    port: {
      type: "integer",
      value: "N",
      min: 0,
      max: 65_535,
      help: `Port; 0: a free one (default ${usualPort}, or a free one when that is taken)`,
    },
    host: { type: "text", value: "ADDRESS", help: "Address to listen on (default 127.0.0.1: this computer only)" },
    open: { type: "flag", help: "Open it in the browser" },
  },
  examples: ["serve --open", "serve --port 0", "serve --port 8080 --json"],
  notes: [
    "The first line on standard output is the address, with a token that works once. Enter, in a terminal, prints a new one. Ctrl+C ends it.",
    "From another computer, use a tunnel: ssh -L 4804:127.0.0.1:4804 THIS-COMPUTER. With --host other addresses can reach the page, unencrypted.",
  ],
  async run(values, _, context) {
    const { output } = context
    const [{ createApp }, { dataFolder }, { forkHost }, { startServer }, { sessionSecret }, { isLoopback }, { pageFolder }, { version }] =
      await Promise.all([
        import("../app.ts"),
        import("../storage/paths.ts"),
        import("../engine/fork.ts"),
        import("../serve/server.ts"),
        import("../serve/secret.ts"),
        import("../serve/caller.ts"),
        import("../page/files.ts"),
        import("../version.ts"),
      ])
    const host = values.host ?? "127.0.0.1"
    if (!existsSync(join(pageFolder, "index.html")))
      throw new AppError("not_found", `The page has not been built: there is no ${pageFolder}.`, "Build it with: npm run build")
    if (!isLoopback(host))
      output.warn(
        `WARNING: on ${host} other computers can reach this page. What is sent is not encrypted, and whoever gets the link can chat, read the chats and look at the folders of this computer. An SSH tunnel is safer: see nibble serve --help.`,
      )
    const home = dataFolder()
    const app = await createApp({ home, face: "served", startHost: forkHost, version, warn: output.warn })
    try {
      const start = async (port: number) =>
        startServer({ handlers: app.handlers, folder: pageFolder, host, port, secret: await sessionSecret(home), isChecked })
      const server = await (values.port === undefined ? startOnUsualPort(start) : start(values.port))
      try {
        const url = server.newLink()
        if (output.isJson) process.stdout.write(`${JSON.stringify({ url, host, port: server.port })}\n`)
        else output.line(url)
        if (values.open) await open(url, context)
        await untilInterrupted(server.newLink, context)
      } finally {
        await server.close()
      }
    } finally {
      await app.close()
    }
    return null
  },
})

/** Every event and result is parsed too, in development and tests. */
const isChecked = process.env.NIBBLE_CHECKED === "1"

async function startOnUsualPort<T>(start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(usualPort)
  } catch (thrown) {
    const { code } = toErrorData(thrown)
    if (code !== "busy" && code !== "no_permission") throw thrown
    return start(0)
  }
}

async function open(url: string, { output }: CommandContext): Promise<void> {
  if (process.env.BROWSER === "none") return
  const { openBrowser } = await import("../serve/open-browser.ts")
  if (await openBrowser(url)) output.say("Opened in the browser. Enter prints a new link, Ctrl+C ends Nibble.")
  else output.say("No browser could be opened here: open the address by hand. Ctrl+C ends Nibble.")
}

function untilInterrupted(newLink: () => string, { output, signal }: CommandContext): Promise<void> {
  const lines = process.stdin.isTTY ? createInterface({ input: process.stdin, terminal: false }) : null
  lines?.on("line", () => output.line(newLink()))
  return new Promise((resolve) => {
    const finish = () => {
      lines?.close()
      resolve()
    }
    if (signal.aborted) finish()
    else signal.addEventListener("abort", finish, { once: true })
  })
}
