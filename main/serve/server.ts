// The page and the app contract over HTTP and WebSocket. Every request must name this server (Host), and all but the first bring the
// cookie; the socket must come from our own page (Origin).
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import { type AppContract, app as contract } from "../../shared/contract/app.ts"
import { type Handlers, serve } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import { findPageFile } from "../page/files.ts"
import { securityHeaders } from "../page/policy.ts"
import { isOwnHost, isOwnOrigin } from "./caller.ts"
import { watchConnections } from "./heartbeat.ts"
import { refusalPage } from "./refusal-page.ts"
import { createSession } from "./session.ts"
import { socketPort } from "./socket-port.ts"

export interface ServerOptions {
  handlers: Handlers<AppContract>
  /** The built page. */
  folder: string
  host: string
  /** 0: a free one. */
  port: number
  /** Behind the cookie; see secret.ts. */
  secret: string
  /** Parse events and results too. */
  isChecked?: boolean
}

export interface RunningServer {
  port: number
  /** The address with a token that works once; a new one each time. */
  newLink(): string
  close(): Promise<void>
}

/** A chat message with a whole book pasted into it is 2 MB. */
const largestMessage_bytes = 8 * 2 ** 20

const inUrl = (host: string) => (host.includes(":") ? `[${host}]` : host)

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { handlers, folder, host, secret, isChecked = false } = options
  const session = createSession(secret)
  const sockets = new WebSocketServer({ noServer: true, maxPayload: largestMessage_bytes, perMessageDeflate: false })
  const stopWatching = watchConnections(sockets)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ownHost = request.headers.host
    const isOwn = ownHost !== undefined && isOwnHost(ownHost, host)
    // Browsers do not all count ws: to 'self'.
    const headers = { ...securityHeaders(isOwn ? [`ws://${ownHost}`] : []), "Cache-Control": "no-store" }
    const send = (status: number, type: string, content: string | Buffer, more: Record<string, string> = {}) =>
      response
        .writeHead(status, { ...headers, "Content-Type": type, "Content-Length": String(Buffer.byteLength(content)), ...more })
        .end(request.method === "HEAD" ? undefined : content)
    const refuse = (status: number, text: string, more: Record<string, string> = {}) =>
      send(status, "text/plain; charset=utf-8", `${text}\n`, more)

    if (!isOwn) return void refuse(421, "This address is not served here.")
    if (request.method !== "GET" && request.method !== "HEAD") return void refuse(405, "Only GET and HEAD.", { Allow: "GET, HEAD" })

    const [pathname = "/", query = ""] = (request.url ?? "/").split("?", 2)
    const isKnown = session.isKnown(request.headers.cookie)
    const token = pathname === "/" ? new URLSearchParams(query).get("token") : null
    if (token !== null && request.method === "GET") {
      const isRedeemed = session.redeem(token)
      if (!isRedeemed && !isKnown) return void send(403, "text/html; charset=utf-8", refusalPage("used"))
      response.writeHead(303, { ...headers, Location: "/", ...(isRedeemed ? { "Set-Cookie": session.setCookie } : {}) }).end()
      return
    }
    if (!isKnown) return void send(403, "text/html; charset=utf-8", refusalPage("unknown"))

    const file = await findPageFile(folder, pathname)
    if (!file) return void refuse(404, "There is no such file.")
    send(200, file.type, file.content, { "Cache-Control": file.isHashed ? "private, max-age=31536000, immutable" : "no-cache" })
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { host: ownHost, origin, cookie } = request.headers
    const status =
      request.url !== "/rpc"
        ? "404 Not Found"
        : !ownHost || !isOwnHost(ownHost, host) || !isOwnOrigin(origin, ownHost) || !session.isKnown(cookie)
          ? "403 Forbidden"
          : null
    socket.on("error", () => socket.destroy())
    if (status) return void socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    sockets.handleUpgrade(request, socket, head, (connection) => {
      // A frame that breaks the protocol also closes the connection, and the close is what counts.
      connection.on("error", () => {})
      serve(contract, handlers, socketPort(connection), { isChecked })
    })
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  server.on("upgrade", upgrade)
  await listen(server, host, options.port)
  const { port } = server.address() as AddressInfo

  return {
    port,
    newLink: () => `http://${inUrl(host)}:${port}/?token=${session.newToken()}`,
    async close() {
      stopWatching()
      for (const connection of sockets.clients) connection.close(1001)
      const isClosed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      // A page that does not answer the close gets no more time.
      const late = setTimeout(() => {
        for (const connection of sockets.clients) connection.terminate()
      }, 500)
      await isClosed
      clearTimeout(late)
    },
  }
}

function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
    server.listen({ host, port, exclusive: true }, resolve)
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  const options = { cause: error }
  if (error.code === "EADDRINUSE")
    return new AppError(
      "busy",
      `Port ${port} of ${host} is in use by another program.`,
      "Choose another with --port, or --port 0 for any free one.",
      options,
    )
  if (error.code === "EACCES")
    return new AppError(
      "no_permission",
      `Port ${port} may not be opened by this user.`,
      "Choose a port of 1024 or more with --port.",
      options,
    )
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
    return new AppError(
      "bad_input",
      `${host} is no address of this computer.`,
      "Use 127.0.0.1, or one of this computer's addresses.",
      options,
    )
  return error
}
