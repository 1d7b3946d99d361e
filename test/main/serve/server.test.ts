// The server as a stranger and as our page see it, over real sockets.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type IncomingHttpHeaders, request } from "node:http"
import { connect as connectSocket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type RunningServer, startServer } from "../../../main/serve/server.ts"
import { socketPort } from "../../../main/serve/socket-port.ts"
import { type AppContract, app } from "../../../shared/contract/app.ts"
import { type Client, connect, type Handlers } from "../../../shared/rpc.ts"

let folder: string
let server: RunningServer
const aborted: string[] = []

/** The calls that these tests make; there is no service behind this server. */
const handlers = {
  "app.diagnostics": () => "well",
  "chats.remove": ({ chatId }: { chatId: string }) => {
    throw Object.assign(new Error(`no chat ${chatId}`), { code: "not_found" })
  },
  "app.events": async (_: undefined, { signal, emit }: { signal: AbortSignal; emit(event: unknown): Promise<void> }) => {
    await emit({ type: "models", models: [] })
    await new Promise((resolve) => signal.addEventListener("abort", resolve))
    aborted.push("app.events")
  },
} as unknown as Handlers<AppContract>

const start = (options: { port?: number; host?: string; secret?: string } = {}) =>
  startServer({ handlers, folder, host: "127.0.0.1", port: 0, secret: "s".repeat(43), isChecked: true, ...options })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "nibble-serve-"))
  mkdirSync(join(folder, "assets"))
  writeFileSync(join(folder, "index.html"), "<p>page</p>")
  writeFileSync(join(folder, "assets/main-B1x_9Qaz.js"), "start()")
  aborted.length = 0
  server = await start()
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: server.port, path, method, headers, agent: false }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part
      })
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on("error", reject).end()
  })
}

const pathOf = (link: string) => link.slice(link.indexOf("/", "http://".length))

async function enter(): Promise<string> {
  const answer = await ask(pathOf(server.newLink()))
  return answer.headers["set-cookie"]![0]!.split(";")[0]!
}

const own = () => ({ origin: `http://127.0.0.1:${server.port}` })

/** Resolves with the client, or rejects with the status of the refusal. */
function open(headers: Record<string, string>, path = "/rpc"): Promise<{ client: Client<AppContract>; socket: WebSocket }> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers })
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve({ client: connect(app, socketPort(socket), { code: "network", message: "lost" }), socket }))
    socket.once("unexpected-response", (_, response) => reject(new Error(String(response.statusCode))))
    socket.on("error", reject)
  })
}

describe("the link", () => {
  it("works once: it sets the cookie and goes to the clean address", async () => {
    const link = pathOf(server.newLink())
    const first = await ask(link)
    expect(first.status).toBe(303)
    expect(first.headers.location).toBe("/")
    expect(first.headers["set-cookie"]![0]).toMatch(/HttpOnly; SameSite=Strict$/)
    const second = await ask(link)
    expect(second.status).toBe(403)
    expect(second.text).toContain("used already")
    expect(second.headers["set-cookie"]).toBeUndefined()
  })

  it("is not used up by a HEAD request, and leads a known browser on even when used up", async () => {
    const link = pathOf(server.newLink())
    expect((await ask(link, {}, "HEAD")).status).toBe(403)
    const cookie = (await ask(link)).headers["set-cookie"]![0]!.split(";")[0]!
    const again = await ask(link, { cookie })
    expect([again.status, again.headers.location, again.headers["set-cookie"]]).toEqual([303, "/", undefined])
  })

  it("is needed: without a cookie there is only the page that says so", async () => {
    for (const path of ["/", "/index.html", "/assets/main-B1x_9Qaz.js", "/missing"]) {
      const answer = await ask(path)
      expect(answer.status).toBe(403)
      expect(answer.text).toContain("nibble serve")
      expect(answer.text).not.toContain("start()")
    }
    expect((await ask("/?token=wrong")).status).toBe(403)
    expect((await ask("/", { cookie: "nibble-000000000000=wrong" })).status).toBe(403)
  })

  it("is not needed again after a restart with the same secret", async () => {
    const cookie = await enter()
    const { port } = server
    await server.close()
    server = await start({ port })
    expect((await ask("/", { cookie })).status).toBe(200)
    await server.close()
    server = await start({ port, secret: "t".repeat(43) })
    expect((await ask("/", { cookie })).status).toBe(403)
  })
})

describe("the page", () => {
  it("comes with its types, cache times and the policy", async () => {
    const cookie = await enter()
    const page = await ask("/", { cookie })
    expect([page.status, page.text]).toEqual([200, "<p>page</p>"])
    expect(page.headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" })
    expect(page.headers["content-security-policy"]).toContain(`connect-src 'self' ws://127.0.0.1:${server.port};`)
    const script = await ask("/assets/main-B1x_9Qaz.js", { cookie })
    expect(script.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "private, max-age=31536000, immutable",
    })
    expect((await ask("/", { cookie }, "HEAD")).text).toBe("")
  })

  it("gives every answer the security headers, refusals too", async () => {
    const cookie = await enter()
    const answers = [
      await ask("/"),
      await ask("/", { cookie }),
      await ask("/x", { cookie }),
      await ask("/", {}, "POST"),
      await ask("/", { host: "evil.example" }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 200, 404, 405, 421])
    for (const { headers } of answers) {
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/)
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
      })
    }
  })

  it.each(["/../package.json", "/..%2fpackage.json", "/%2e%2e/package.json", "/assets/..%5c..%5cpackage.json", "//etc/passwd"])(
    "has nothing at %s",
    async (path) => {
      expect((await ask(path, { cookie: await enter() })).status).toBe(404)
    },
  )

  it.each(["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])("does not answer %s", async (method) => {
    const answer = await ask("/", { cookie: await enter() }, method)
    expect([answer.status, answer.headers.allow]).toEqual([405, "GET, HEAD"])
  })

  it("is not served under a foreign name, cookie or not", async () => {
    const cookie = await enter()
    expect((await ask("/", { cookie, host: `evil.example:${server.port}` })).status).toBe(421)
    expect((await ask(pathOf(server.newLink()), { host: "evil.example" })).status).toBe(421)
    expect((await ask("/", { cookie, host: `localhost:${server.port}` })).status).toBe(200)
  })
})

describe("the socket", () => {
  it("answers calls, streams and errors", async () => {
    const { client } = await open({ cookie: await enter(), ...own() })
    expect(await client["app.diagnostics"]()).toBe("well")
    await expect(client["chats.remove"]({ chatId: "7" })).rejects.toMatchObject({ code: "not_found", message: "no chat 7" })
    const stop = new AbortController()
    const events: string[] = []
    const take = (event: { type: string }) => {
      events.push(event.type)
      stop.abort()
    }
    await client["app.events"](undefined, take, stop.signal)
    expect(events).toEqual(["models"])
  })

  it("is refused without the cookie, from another origin, under another name and at another address", async () => {
    const cookie = await enter()
    await expect(open(own())).rejects.toThrow("403")
    await expect(open({ cookie })).rejects.toThrow("403")
    await expect(open({ cookie, origin: "http://evil.example" })).rejects.toThrow("403")
    await expect(open({ cookie, origin: `http://127.0.0.1:${server.port + 1}` })).rejects.toThrow("403")
    await expect(open({ cookie, origin: "http://evil.example", host: "evil.example" })).rejects.toThrow("403")
    await expect(open({ cookie, ...own() }, "/other")).rejects.toThrow("404")
  })

  it("serves two pages at once; one that leaves aborts its own calls only", async () => {
    const cookie = await enter()
    const [first, second] = [await open({ cookie, ...own() }), await open({ cookie, ...own() })]
    const watching = new Promise<void>((resolve) => {
      void first.client["app.events"](undefined, () => resolve()).catch(() => {})
    })
    await watching
    expect(await second.client["app.diagnostics"]()).toBe("well")
    first.socket.terminate()
    await expect.poll(() => aborted).toEqual(["app.events"])
    expect(await second.client["app.diagnostics"]()).toBe("well")
  })

  it.each([
    ["binary data", Buffer.from("{}"), 1003],
    ["text that is not JSON", "{", 1007],
    ["a message over the limit", "x".repeat(8 * 2 ** 20 + 1), 1009],
  ])("closes on %s and lives on", async (_, message, code) => {
    const cookie = await enter()
    const { socket } = await open({ cookie, ...own() })
    const closed = new Promise((resolve) => socket.once("close", resolve))
    socket.send(message)
    expect(await closed).toBe(code)
    expect(await (await open({ cookie, ...own() })).client["app.diagnostics"]()).toBe("well")
  })

  it("survives a broken upgrade", async () => {
    await new Promise<void>((resolve) => {
      const raw = connectSocket(server.port, "127.0.0.1", () =>
        raw.write(`GET /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`),
      )
      raw.resume().on("close", () => resolve())
    })
    expect((await ask("/")).status).toBe(403)
  })
})

describe("starting and ending", () => {
  it("names a port that is in use and what to do", async () => {
    await expect(start({ port: server.port })).rejects.toMatchObject({
      code: "busy",
      message: `Port ${server.port} of 127.0.0.1 is in use by another program.`,
      hint: expect.stringContaining("--port 0"),
    })
  })

  it("names an address that is not this computer's", async () => {
    await expect(start({ host: "192.0.2.1" })).rejects.toMatchObject({ code: "bad_input" })
  })

  it("ends within a second although a page is open", async () => {
    const { client, socket } = await open({ cookie: await enter(), ...own() })
    const call = client["app.events"](undefined, () => {})
    const closed = new Promise((resolve) => socket.once("close", resolve))
    const since = Date.now()
    await server.close()
    expect(Date.now() - since).toBeLessThan(1000)
    await closed
    await expect(call).rejects.toMatchObject({ code: "network" })
    expect(aborted).toEqual(["app.events"])
    server = await start()
  })
})
