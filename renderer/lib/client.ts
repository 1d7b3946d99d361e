// The one connection to main: a MessagePort that the Electron window hands over, or a WebSocket to the server the page came from. When it
// is lost, open calls reject, the banner shows, and it is tried again until main is back.
import { app } from "../../shared/contract/app.ts"
import { type Client, connect, type Port } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import { slice } from "./slice.ts"

type AppClient = Client<typeof app>

export const connection = slice("connection", { state: "connecting" as "connecting" | "open" | "lost" })

const gone = { code: "network", message: "Nibble's main process cannot be reached." } as const
const retryDelays_ms = [250, 500, 1000, 2000, 4000]

let current: AppClient | null = null

/** Calls go to the connection of the moment; without one they reject as "network". */
export const client = Object.fromEntries(
  Object.keys(app).map((name) => [
    name,
    (...input: unknown[]) => {
      if (!current) return Promise.reject(new AppError(gone.code, gone.message))
      return (current[name as keyof AppClient] as (...input: unknown[]) => Promise<unknown>)(...input)
    },
  ]),
) as AppClient

/** Uses `port` until it closes. */
export function attach(port: Port, onOpen: () => void, onLost: () => void): void {
  // connect() sets the port's listeners; ours for its end comes after that of the open calls.
  let isOver = false
  const watched: Port = {
    post: (message) => port.post(message),
    onMessage: (listener) => port.onMessage(listener),
    onClose: (listener) =>
      port.onClose(() => {
        if (isOver) return
        isOver = true
        current = null
        listener()
        connection.update({ state: "lost" })
        onLost()
      }),
  }
  current = connect(app, watched, gone)
  connection.update({ state: "open" })
  onOpen()
}

/** Connects as this page can, and again whenever the connection was lost. `onOpen` runs each time it stands. */
export function startConnection(onOpen: () => void): void {
  if (location.protocol === "app:") listenForPort(onOpen)
  else openSocket(onOpen, 0)
}

/** The preload passes one port after each load; only it shares our window. */
function listenForPort(onOpen: () => void): void {
  addEventListener("message", (event) => {
    const port = event.source === window ? event.ports[0] : undefined
    if (port) attach(messagePort(port), onOpen, () => {})
  })
}

let retry: { timer: ReturnType<typeof setTimeout>; now: () => void } | null = null

/** Tries at once instead of when the pause is over. */
export function retryNow(): void {
  retry?.now()
}

function openSocket(onOpen: () => void, attempt: number): void {
  const address = new URL("rpc", location.href)
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:"
  address.hash = ""
  const socket = new WebSocket(address)
  const again = (next: number) => {
    const now = () => {
      if (retry) clearTimeout(retry.timer)
      retry = null
      openSocket(onOpen, next)
    }
    retry = { timer: setTimeout(now, retryDelays_ms[Math.min(next, retryDelays_ms.length - 1)]), now }
  }
  const fail = () => {
    connection.update({ state: "lost" })
    again(attempt + 1)
  }
  socket.addEventListener("close", fail)
  socket.addEventListener("open", () => {
    socket.removeEventListener("close", fail)
    attach(socketPort(socket), onOpen, () => again(0))
  })
}

function socketPort(socket: WebSocket): Port {
  return {
    post: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
    },
    onMessage: (listener) => socket.addEventListener("message", (event) => listener(JSON.parse(String(event.data)))),
    onClose: (listener) => socket.addEventListener("close", listener),
  }
}

function messagePort(port: MessagePort): Port {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.onmessage = (event) => listener(event.data)
    },
    onClose: (listener) => port.addEventListener("close", listener),
  }
}
