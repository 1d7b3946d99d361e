import { createHash, randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import { type TransferRequest, transfer } from "../../../main/hub/transfer.ts"
import type { Trouble } from "../../../main/hub/transfer-retry.ts"
import { scratchFolder } from "../scratch.ts"
import { loopback, serveRange } from "./loopback.ts"

const content = Buffer.from("The quick brown fox jumps over the lazy dog.")
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

function wish(address: string, change: Partial<TransferRequest> = {}): TransferRequest {
  return {
    address,
    path: join(scratchFolder(), "in", "fox.txt"),
    bytes: content.length,
    digest: { algorithm: "sha256", hex: sha256(content) },
    signal: new AbortController().signal,
    onProgress: () => {},
    pace: { backOff_ms: 1, headers_ms: 2000, stall_ms: 2000, attempts: 4 },
    ...change,
  }
}

const filesBeside = (path: string) => (existsSync(join(path, "..")) ? readdirSync(join(path, "..")) : [])

/** Sends `length` bytes of the content and cuts the connection once `arrived` says that they were read. */
function cutAfter(length: number, arrived: Promise<void>): Parameters<typeof loopback>[0] {
  return (_, response) => {
    response.writeHead(200, { etag: '"one"', "content-length": content.length })
    response.flushHeaders()
    if (length > 0) response.write(content.subarray(0, length))
    if (length > 0) void arrived.then(() => response.socket?.end())
    else setTimeout(() => response.socket?.end(), 5)
  }
}

/** Gets the content from `answer` after a connection that was cut at byte `cut`. */
async function afterCut(cut: number, answer: Parameters<typeof loopback>[0]) {
  const { promise: arrived, resolve: tell } = Promise.withResolvers<void>()
  const server = await loopback((request, response, count) => (count === 1 ? cutAfter(cut, arrived) : answer)(request, response, count))
  const one = wish(server.origin, { onProgress: (_, bytes) => bytes === cut && tell() })
  await transfer(one)
  expect(readFileSync(one.path)).toEqual(content)
  return server.requests[1]
}

describe("a transfer", () => {
  it("brings a file and leaves nothing beside it", async () => {
    const server = await loopback((request, response) => serveRange(request, response, content))
    const seen: number[] = []
    const one = wish(`${server.origin}/fox`, { onProgress: (_, bytes) => seen.push(bytes) })
    await transfer(one)
    expect(readFileSync(one.path)).toEqual(content)
    expect(filesBeside(one.path)).toEqual(["fox.txt"])
    expect(seen.at(-1)).toBe(content.length)
    // A second time nothing is asked for.
    await transfer(one)
    expect(server.requests).toHaveLength(1)
  })

  it("checks a file by the hash that git gives it", async () => {
    const server = await loopback((request, response) => serveRange(request, response, content))
    const hex = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex")
    const one = wish(server.origin, { digest: { algorithm: "git-sha1", hex } })
    await transfer(one)
    expect(readFileSync(one.path)).toEqual(content)
  })

  it("goes on where it was cut off, whichever byte that was", async () => {
    for (let cut = 0; cut < content.length; cut++) {
      const second = await afterCut(cut, (request, response) => serveRange(request, response, content))
      expect(second?.range, `cut at byte ${cut}`).toBe(cut === 0 ? undefined : `bytes=${cut}-`)
      expect(second?.ifRange).toBe(cut === 0 ? undefined : '"one"')
    }
  })

  it("goes on after a restart of the program", async () => {
    const stop = new AbortController()
    const server = await loopback((request, response, count) => {
      if (count > 1) return serveRange(request, response, content)
      response.writeHead(200, { etag: '"one"', "content-length": content.length }).write(content.subarray(0, 17))
    })
    const one = wish(server.origin, { signal: stop.signal, onProgress: (_, bytes) => bytes === 17 && stop.abort() })
    await expect(transfer(one)).rejects.toMatchObject({ code: "cancelled" })
    expect(existsSync(one.path)).toBe(false)
    const phases: string[] = []
    await transfer({ ...one, signal: new AbortController().signal, onProgress: (phase, bytes) => phases.push(`${phase} ${bytes}`) })
    expect(readFileSync(one.path)).toEqual(content)
    expect(phases).toEqual(["download 17", `download ${content.length}`])
    expect(server.requests[1]?.range).toBe("bytes=17-")
  })

  it("begins again where the file has changed, the server ignores ranges, or it sends another one", async () => {
    const answers: Record<string, Parameters<typeof loopback>[0]> = {
      changed: (request, response) => serveRange(request, response, content, '"two"'),
      ignored: (_, response) => void response.writeHead(200, { "content-length": content.length }).end(content),
      other: (request, response) => {
        if (!request.headers.range) return serveRange(request, response, content)
        response.writeHead(206, { "content-range": `bytes 3-${content.length - 1}/${content.length}` }).end(content.subarray(3))
      },
      beyond: (request, response) => (request.headers.range ? void response.writeHead(416).end() : serveRange(request, response, content)),
    }
    for (const [name, answer] of Object.entries(answers)) {
      expect((await afterCut(9, answer))?.range, name).toBe("bytes=9-")
    }
  })

  it("fetches a file with the wrong hash once more, and then does not take it", async () => {
    const wrong = Buffer.from(content)
    wrong[5] = 0
    const server = await loopback((request, response) => serveRange(request, response, wrong))
    const troubles: Trouble[] = []
    const one = wish(server.origin, { onTrouble: (trouble) => troubles.push(trouble) })
    await expect(transfer(one)).rejects.toMatchObject({ code: "bad_file", message: expect.stringContaining(sha256(content)) })
    expect(filesBeside(one.path)).toEqual([])
    expect(server.requests).toHaveLength(2)
    expect(troubles).toMatchObject([{ error: { code: "bad_file" }, attempt: 2 }])

    const once = await loopback((request, response, count) => serveRange(request, response, count === 1 ? wrong : content))
    const two = wish(once.origin)
    await transfer(two)
    expect(readFileSync(two.path)).toEqual(content)
  })

  it("finds out that a part of another file was here", async () => {
    const server = await loopback((request, response) => serveRange(request, response, content))
    const one = wish(server.origin)
    await transfer(one)
    writeFileSync(`${one.path}.part`, "The slow green")
    const state = { bytes: content.length, hex: sha256(content), etag: null, done: [{ from: 0, to: 14 }] }
    writeFileSync(`${one.path}.part.json`, JSON.stringify(state))
    writeFileSync(one.path, "changed")
    await transfer(one)
    expect(readFileSync(one.path)).toEqual(content)
    expect(server.requests.map(({ range }) => range)).toEqual([undefined, "bytes=14-", undefined])
    expect(filesBeside(one.path)).toEqual(["fox.txt"])
  })

  it("does not take a file of another length", async () => {
    const page = Buffer.from("<html>Please sign in</html>")
    const server = await loopback((request, response) => serveRange(request, response, page))
    await expect(transfer(wish(server.origin))).rejects.toMatchObject({
      code: "network",
      message: expect.stringContaining("offers 27 bytes"),
    })
    expect(server.requests).toHaveLength(1)
  })

  it("stops at the expected length where more is sent, and says what is missing where less is", async () => {
    const long = await loopback((_, response) => {
      response.write(Buffer.concat([content, content]))
      response.end()
    })
    const one = wish(long.origin)
    await expect(transfer(one)).rejects.toMatchObject({ code: "bad_file", message: expect.stringContaining("more than the 44 bytes") })
    expect(filesBeside(one.path)).toEqual([])
    const short = await loopback((request, response) => {
      if (request.headers.range) return void response.writeHead(503).end()
      response.write(content.subarray(0, 20))
      response.end()
    })
    await expect(transfer(wish(short.origin))).rejects.toMatchObject({ code: "network" })
    expect(short.requests.map((request) => request.range)).toEqual([undefined, "bytes=20-", "bytes=20-", "bytes=20-"])
  })
})

describe("a refused transfer", () => {
  const always = (status: number, headers: Record<string, string> = {}) =>
    loopback((_, response) => void response.writeHead(status, headers).end("no"))

  it("is told at once where another try cannot help", async () => {
    for (const [status, code] of [
      [401, "no_permission"],
      [403, "no_permission"],
      [404, "not_found"],
      [410, "not_found"],
      [400, "network"],
    ] as const) {
      const server = await always(status)
      await expect(transfer(wish(server.origin))).rejects.toMatchObject({ code, message: expect.stringContaining(`HTTP ${status}`) })
      expect(server.requests).toHaveLength(1)
    }
  })

  it("is tried again where the server has trouble, but not for ever", async () => {
    const failing = await always(503)
    await expect(transfer(wish(failing.origin))).rejects.toMatchObject({ code: "network", message: expect.stringContaining("503") })
    expect(failing.requests).toHaveLength(4)
    const recovering = await loopback((request, response, count) =>
      count < 3 ? void response.writeHead(502).end() : serveRange(request, response, content),
    )
    const one = wish(recovering.origin)
    await transfer(one)
    expect(readFileSync(one.path)).toEqual(content)
  })

  it("waits as long as the server asks for, and gives up where that is too long", async () => {
    const server = await loopback((request, response, count) =>
      count === 1 ? void response.writeHead(429, { "retry-after": "0.2" }).end() : serveRange(request, response, content),
    )
    const began = performance.now()
    await transfer(wish(server.origin))
    expect(performance.now() - began).toBeGreaterThan(180)
    const strict = await always(429, { "retry-after": "3600" })
    await expect(transfer(wish(strict.origin))).rejects.toMatchObject({ code: "network", hint: "Try again in 3600 s." })
    expect(strict.requests).toHaveLength(1)
  })

  it("says that nobody listens there", async () => {
    const server = await loopback(() => {})
    const port = Number(new URL(server.origin).port)
    const closed = `http://127.0.0.1:${port === 65535 ? 1 : port + 1}`
    const one = wish(closed, { pace: { attempts: 1, backOff_ms: 1 } })
    await expect(transfer(one)).rejects.toMatchObject({ code: "network", message: expect.stringContaining("127.0.0.1") })
  })
})

describe("a slow server", () => {
  it("that stops sending is left and asked for the rest", async () => {
    const server = await loopback((request, response, count) => {
      if (count > 1) return serveRange(request, response, content)
      response.writeHead(200, { etag: '"one"', "content-length": content.length }).write(content.subarray(0, 10))
    })
    const one = wish(server.origin, { pace: { stall_ms: 60, backOff_ms: 1 } })
    await transfer(one)
    expect(readFileSync(one.path)).toEqual(content)
    expect(server.requests[1]?.range).toBe("bytes=10-")
  })

  it("that never answers is given up in time", async () => {
    const server = await loopback(() => {})
    const one = wish(server.origin, { pace: { headers_ms: 50, attempts: 2, backOff_ms: 1 } })
    await expect(transfer(one)).rejects.toMatchObject({ code: "network", message: expect.stringContaining("within 0.05 s") })
  })

  it("can be left at any moment", async () => {
    const server = await loopback(() => {})
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 30)
    await expect(transfer(wish(server.origin, { signal: stop.signal }))).rejects.toMatchObject({ code: "cancelled" })
    const busy = await loopback((_, response) => void response.writeHead(503, { "retry-after": "30" }).end())
    const pause = new AbortController()
    setTimeout(() => pause.abort(), 50)
    await expect(transfer(wish(busy.origin, { signal: pause.signal }))).rejects.toMatchObject({ code: "cancelled" })
  })
})

describe("a redirect", () => {
  it("to another origin does not take the token along", async () => {
    const storage = await loopback((request, response) => serveRange(request, response, content))
    const hub = await loopback((request, response) => {
      const location = request.url === "/fox" ? "/again" : `${storage.origin}/blob`
      response.writeHead(302, { location }).end()
    })
    await transfer(wish(`${hub.origin}/fox`, { authorization: "Bearer secret" }))
    expect(hub.requests.map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/fox", "Bearer secret"],
      ["/again", "Bearer secret"],
    ])
    expect(storage.requests).toEqual([{ path: "/blob", range: undefined, ifRange: undefined, authorization: undefined }])
  })

  it("in a circle, to a file, or to nonsense is refused", async () => {
    for (const [location, code] of [
      ["/", "network"],
      ["file:///etc/hostname", "bad_input"],
      ["http://", "bad_input"],
    ] as const) {
      const server = await loopback((_, response) => void response.writeHead(302, { location }).end())
      await expect(transfer(wish(server.origin, { pace: { attempts: 1 } }))).rejects.toMatchObject({ code })
    }
  })

  it("keeps name and password of an address to its origin", async () => {
    const server = await loopback((request, response) => serveRange(request, response, content))
    await transfer(wish(server.origin.replace("http://", "http://ada:secret@")))
    expect(server.requests[0]?.authorization).toBe(`Basic ${Buffer.from("ada:secret").toString("base64")}`)
  })
})

describe("a transfer on this computer", () => {
  it("copies and checks a file", async () => {
    const source = join(scratchFolder(), "source")
    writeFileSync(source, content)
    const one = wish(pathToFileURL(source).href)
    await transfer(one)
    expect(readFileSync(one.path)).toEqual(content)
    writeFileSync(source, content.subarray(1))
    const other = wish(pathToFileURL(source).href)
    await expect(transfer(other)).rejects.toMatchObject({ code: "bad_file", message: expect.stringContaining("43 bytes") })
    await expect(transfer(wish(pathToFileURL(`${source}-none`).href))).rejects.toMatchObject({ code: "not_found" })
  })

  it("is refused before it begins where the disk is too small, and keeps what came before", async () => {
    const server = await loopback((request, response) => serveRange(request, response, content))
    const one = wish(server.origin, { bytes: 2 ** 60 })
    mkdirSync(join(one.path, ".."))
    writeFileSync(`${one.path}.part`, content)
    writeFileSync(
      `${one.path}.part.json`,
      JSON.stringify({ bytes: one.bytes, hex: one.digest.hex, etag: null, done: [{ from: 0, to: 40 }] }),
    )
    await expect(transfer(one)).rejects.toMatchObject({ code: "no_space" })
    expect(server.requests).toHaveLength(0)
    expect(readFileSync(`${one.path}.part`)).toEqual(content)
    expect(JSON.parse(readFileSync(`${one.path}.part.json`, "utf8")).done).toEqual([{ from: 0, to: 40 }])
  })

  it.runIf(existsSync("/dev/full"))("says how far it came where the disk fills up", async () => {
    const source = join(scratchFolder(), "source")
    const large = randomBytes(1000)
    writeFileSync(source, large)
    const one = wish(pathToFileURL(source).href, { bytes: 1000, digest: { algorithm: "sha256", hex: sha256(large) } })
    mkdirSync(join(one.path, ".."))
    symlinkSync("/dev/full", `${one.path}.part`)
    await expect(transfer(one)).rejects.toMatchObject({
      ...{ code: "no_space", message: expect.stringContaining("0 of the 1000 bytes"), hint: expect.stringContaining("kept") },
    })
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true)
  })
})
