// The engine host: the process that has engine.node. Serves the engine contract to the process that started it, as a forked child
// of Node or as a utility process of Electron, and ends when that process goes away.
// Nothing heavy is imported here: tokenizers, templates and model readers come with the first call that needs them.
import { engine } from "../../shared/contract/engine.ts"
import { type Port, serve } from "../../shared/rpc.ts"
import { loadedAddon } from "./addon.ts"
import { createHandlers } from "./handlers.ts"
import { releaseGarbage } from "./script-memory.ts"

/** process.parentPort of an Electron utility process, as far as it is used. */
interface ElectronPort {
  postMessage(message: unknown): void
  on(event: "message", listener: (event: { data: unknown }) => void): void
}

/** How long running calls may take to end and to remove what they had half written. */
const graceMs = 2500

const closeListeners: (() => void)[] = []

function openPort(): Port {
  const onClose = (listener: () => void) => void closeListeners.push(listener)
  const electronPort = (process as unknown as { parentPort?: ElectronPort }).parentPort
  if (electronPort) {
    return {
      post: (message) => electronPort.postMessage(message),
      onMessage: (listener) => electronPort.on("message", ({ data }) => listener(data)),
      onClose,
    }
  }
  if (!process.send) {
    console.error("The engine host is started by Nibble and speaks to the process that started it; there is none.")
    process.exit(2)
  }
  return {
    // Sending to a process that is gone fails, and "disconnect" tells that already.
    post: (message) => void process.send?.(message, undefined, undefined, () => {}),
    onMessage: (listener) => void process.on("message", listener),
    onClose,
  }
}

/** The engine's memory is what its models take, as far as that is in our hands. */
function tidyUp(): void {
  const addon = loadedAddon()
  if (addon) releaseGarbage(addon)
}

const { handlers, settled } = createHandlers({ onIdle: tidyUp })

let isEnding = false
async function end(): Promise<void> {
  if (isEnding) return
  isEnding = true
  setTimeout(() => process.exit(0), graceMs)
  for (const listener of closeListeners) listener()
  await settled()
  process.exit(0)
}

function fail(error: unknown): void {
  console.error(`The engine host failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exit(1)
}

process.on("uncaughtException", fail)
process.on("unhandledRejection", fail)
process.on("disconnect", end)
process.on("SIGTERM", end)
// Ctrl+C in a terminal reaches the whole process group; the parent decides what it means.
process.on("SIGINT", () => {})

serve(engine, handlers, openPort(), { isChecked: process.env.NIBBLE_CHECKED === "1" })
