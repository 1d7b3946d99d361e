// Proxies on this computer, for tests: they know "hub.test" as an address on loopback, and note what they were asked.
import { createServer, type IncomingMessage, request } from "node:http"
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from "node:net"
import { onTestFinished } from "vitest"

export interface TestProxy {
  address: string
  asked: string[]
}

/** Plain requests in absolute form are passed on to `port`; tunnels are noted and refused. */
export async function httpProxy(port: number): Promise<TestProxy> {
  const asked: string[] = []
  const note = (incoming: IncomingMessage) =>
    asked.push([incoming.method, incoming.url, incoming.headers["proxy-authorization"]].filter(Boolean).join(" "))
  const server = createServer((incoming, outgoing) => {
    note(incoming)
    const { pathname } = new URL(incoming.url ?? "")
    const headers = { ...incoming.headers }
    delete headers["proxy-authorization"]
    request({ host: "127.0.0.1", port, path: pathname, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    }).end()
  })
  server.on("connect", (incoming, socket) => {
    note(incoming)
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** RFC 1928 with a name and a password by RFC 1929, as far as a client that connects to a name needs it. */
export async function socksProxy(port: number, login: string): Promise<TestProxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createSocketServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    let step = 0
    let received = Buffer.alloc(0)
    socket.on("data", (chunk: Buffer) => {
      if (step === 3) return
      received = Buffer.concat([received, chunk])
      if (step === 0 && received.length >= 2 && received.length >= 2 + (received[1] ?? 0)) {
        received = received.subarray(2 + (received[1] ?? 0))
        socket.write(Uint8Array.from([5, 2]))
        step = 1
      } else if (step === 1 && received.length >= 2) {
        const name = received.subarray(2, 2 + (received[1] ?? 0))
        const password = received.subarray(3 + name.length, 3 + name.length + (received[2 + name.length] ?? 0))
        const isRight = `${name}:${password}` === login
        received = received.subarray(3 + name.length + password.length)
        socket.write(Uint8Array.from([1, isRight ? 0 : 1]))
        if (!isRight) return void socket.end()
        step = 2
      } else if (step === 2 && received.length >= 5 && received.length >= 7 + (received[4] ?? 0)) {
        const length = received[4] ?? 0
        asked.push(`${received.subarray(5, 5 + length)}:${received.readUInt16BE(5 + length)}`)
        step = 3
        const target = connect(port, "127.0.0.1", () => {
          socket.write(Uint8Array.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]))
          socket.pipe(target).pipe(socket)
        })
        sockets.add(target)
        target.on("error", () => socket.destroy())
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { address: `socks5://${login}@127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
