// Everything that goes wrong on the way, by one connection and by several, against the hub of the tests.
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { createNetwork } from "../../../main/hub/network.ts"
import { type TransferRequest, transfer } from "../../../main/hub/transfer.ts"
import { backOff, type Trouble, usualPace } from "../../../main/hub/transfer-retry.ts"
import type { Fault } from "../../hub/faults.ts"
import { startHub, type TestHub } from "../../hub/hub.ts"
import { scratchFolder } from "../scratch.ts"
import { loopback, serveRange } from "./loopback.ts"

const content = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 37 + (i >> 7)) & 0xff))
const hex = createHash("sha256").update(content).digest("hex")
const file = "model.safetensors"
const oneConnection = 4 << 20
const several = 50_000

async function begun(range_bytes: number, faults: Fault[], change: Partial<TransferRequest> = {}) {
  const hub = await startHub({ repositories: [{ name: "org/tiny", files: { [file]: content } }], account: { token: "t", name: "ada" } })
  onTestFinished(() => hub.close())
  hub.faults.add(...faults)
  const troubles: Trouble[] = []
  const wish: TransferRequest = {
    address: `${hub.endpoint}/org/tiny/resolve/main/${file}`,
    path: join(scratchFolder(), file),
    bytes: content.length,
    digest: { algorithm: "sha256", hex },
    authorization: "Bearer t",
    network: createNetwork({ env: {} }),
    signal: new AbortController().signal,
    onProgress: () => {},
    onTrouble: (trouble) => troubles.push(trouble),
    pace: { range_bytes, backOff_ms: 1, stall_ms: 150, headers_ms: 150, attempts: 4, save_ms: 0 },
    ...change,
  }
  return { hub, wish, troubles }
}

const fromStorage = (hub: TestHub) => hub.requests.filter(({ server }) => server === "storage")

describe.each([
  ["by one connection", oneConnection],
  ["by several", several],
])("a transfer %s", (_, range_bytes) => {
  it.each<[string, Fault[], RegExp | null]>([
    ["nothing", [], null],
    ["a server error", [{ match: file, kind: "status", status: 502, times: 1 }], /HTTP 502/],
    ["a busy hub", [{ match: /^\/org\/tiny\/resolve/, kind: "status", status: 503, times: 1 }], /HTTP 503/],
    ["a connection that breaks", [{ match: file, kind: "reset", at: 20_000, times: 2 }], /was cut|cannot be reached/],
    [
      "a connection that falls silent",
      [{ match: file, kind: "stall", at: 20_000, times: 1 }],
      /sent nothing of model.safetensors for 0.15 s/,
    ],
    ["an answer that is late", [{ match: file, kind: "slow-start", ms: 400, times: 1 }], /did not answer within 0.15 s/],
    ["a byte that was changed", [{ match: file, kind: "corrupt", at: 333_333, times: range_bytes === several ? 8 : 1 }], /its sha256 is/],
    ["an answer that ends early", [{ match: file, kind: "length", by: -100, times: range_bytes === several ? 1 : 0 }], /ended model/],
    ["a server without ranges", [{ match: file, kind: "no-ranges" }], null],
  ])("survives %s", async (name, faults, reason) => {
    const { hub, wish, troubles } = await begun(
      range_bytes,
      faults.filter(({ times }) => times !== 0),
    )
    await transfer(wish)
    expect(readFileSync(wish.path).equals(content)).toBe(true)
    expect(readdirSync(join(wish.path, ".."))).toEqual([file])
    if (reason && faults[0]?.times !== 0) expect(troubles[0]?.error.message).toMatch(reason)
    else expect(troubles).toEqual([])
    if (name === "nothing") expect(fromStorage(hub)).toHaveLength(range_bytes === several ? 8 : 1)
    // The token stays with the hub.
    expect(hub.requests.every(({ server, authorization }) => authorization === (server === "hub" ? "Bearer t" : undefined))).toBe(true)
  })

  it("waits until the date that a hub names, and tells it", async () => {
    const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000)
    const busy: Fault = { match: file, kind: "status", status: 429, headers: { "retry-after": until.toUTCString() }, times: 1 }
    const { hub, wish, troubles } = await begun(range_bytes, [busy])
    await transfer(wish)
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime())
    expect(troubles).toMatchObject([{ attempt: 2, error: { message: expect.stringContaining("too often") } }])
    expect(Math.abs((troubles[0]?.retryAt ?? 0) - until.getTime())).toBeLessThan(50)
    expect(fromStorage(hub).length).toBeGreaterThan(1)
  })

  it("does not take what is longer or wrong", async () => {
    const { wish: longer } = await begun(range_bytes, [
      { match: file, kind: "length", by: 7 },
      { match: file, kind: "no-ranges" },
    ])
    await expect(transfer(longer)).rejects.toMatchObject({ code: "network", message: expect.stringContaining("offers 400007 bytes") })
    const { hub, wish: wrong, troubles } = await begun(range_bytes, [{ match: file, kind: "corrupt", at: 5 }])
    await expect(transfer(wrong)).rejects.toMatchObject({ code: "bad_file", message: expect.stringContaining(hex) })
    expect(troubles).toMatchObject([{ error: { code: "bad_file" } }])
    expect(fromStorage(hub)).toHaveLength(range_bytes === several ? 16 : 2)
    expect(existsSync(wrong.path)).toBe(false)
  })

  it("is given up after so many failures in a row, with the reason, and goes on later", async () => {
    const { hub, wish, troubles } = await begun(range_bytes, [])
    let asked = 0
    hub.faults.add({ match: /^\/storage/, kind: "reset", at: 10_000, times: 4 * 8 })
    await expect(transfer(wish)).rejects.toMatchObject({ code: "network" })
    expect(troubles.map(({ attempt }) => attempt)).toEqual([2, 3, 4])
    asked = fromStorage(hub).length
    // What makes all connections fail at once is one failure.
    expect(asked).toBeGreaterThan(range_bytes === several ? 8 : 3)
    hub.faults.clear()
    await transfer(wish)
    expect(readFileSync(wish.path).equals(content)).toBe(true)
    const again = fromStorage(hub).slice(asked)
    expect(again.every(({ range }) => !range?.startsWith("bytes=0-"))).toBe(true)
  })
})

describe("several connections", () => {
  it("begin anew together where the file changes under them, and end in one piece where it always changes", async () => {
    const old = Buffer.alloc(content.length, "old")
    const changed = await loopback((request, response, count) =>
      count <= 3 ? serveRange(request, response, old, '"old"') : serveRange(request, response, content, '"new"'),
    )
    const { wish, troubles } = await begun(several, [], { address: changed.origin })
    await transfer(wish)
    expect(readFileSync(wish.path).equals(content)).toBe(true)
    // Noticed by the tag and not by the hash at the end.
    expect(troubles).toEqual([])
    // A weak tag guards no range, so the server sends them of the new file.
    const weak = await loopback((request, response, count) =>
      count <= 3 ? serveRange(request, response, old, 'W/"old"') : serveRange(request, response, content, 'W/"new"'),
    )
    const { wish: unguarded, troubles: none } = await begun(several, [], { address: weak.origin })
    await transfer(unguarded)
    expect(readFileSync(unguarded.path).equals(content)).toBe(true)
    expect([none, weak.requests.every(({ ifRange }) => ifRange === undefined)]).toEqual([[], true])
    const restless = await loopback((request, response, count) => serveRange(request, response, content, `"${count}"`))
    const { wish: other } = await begun(several, [], { address: restless.origin })
    await transfer(other)
    expect(readFileSync(other.path).equals(content)).toBe(true)
  })

  it("give a server up whose ranges never fit, without asking for ever", async () => {
    const confused = await loopback((request, response) => {
      const from = Number(request.headers.range?.match(/\d+/)?.[0] ?? 0)
      response.writeHead(206, { "content-range": `bytes ${from + 1}-${from + 10}/${content.length}` }).end(Buffer.alloc(10))
    })
    const { wish } = await begun(several, [], { address: confused.origin })
    await expect(transfer(wish)).rejects.toMatchObject({ code: "network", message: expect.stringContaining("another range") })
    expect(confused.requests.length).toBeLessThan(10)
  })

  it("share the speed limit, and take a change of it at once", async () => {
    const granted: number[] = []
    const network = createNetwork({ env: {} })
    const counted = { ...network, limit: { ...network.limit, take: async (bytes: number) => void granted.push(bytes) } }
    const { wish } = await begun(several, [], { network: counted })
    await transfer(wish)
    expect(granted.reduce((sum, bytes) => sum + bytes, 0)).toBe(content.length)

    const slow = createNetwork({ env: {}, settings: { proxy: "", bytesPerSecondLimit: 1 } })
    let here = 0
    const { wish: limited } = await begun(several, [], {
      network: slow,
      onProgress: (_, bytes) => {
        here = bytes
        // Nothing would come for hours.
        setTimeout(() => slow.apply({ proxy: "", bytesPerSecondLimit: 0 }), 20)
      },
    })
    await transfer(limited)
    expect(here).toBe(content.length)
  })
})

describe("one connection", () => {
  it("forgets what it has when the server sends the whole of another version", async () => {
    const old = Buffer.alloc(content.length, "old")
    const server = await loopback((request, response, count) => {
      if (count > 1) return serveRange(request, response, content, '"new"')
      response.writeHead(200, { etag: '"old"', "content-length": old.length }).write(old.subarray(0, 150_000))
      setTimeout(() => response.destroy(), 30)
    })
    const seen: number[] = []
    const { wish, troubles } = await begun(oneConnection, [], { address: server.origin, onProgress: (_, bytes) => seen.push(bytes) })
    await transfer(wish)
    expect(readFileSync(wish.path).equals(content)).toBe(true)
    expect(troubles).toMatchObject([{ error: { code: "network" } }])
    expect(seen).toContain(0)
  })
})

describe("an answer", () => {
  it("that is nothing but headers is left in time", async () => {
    const server = await loopback((request, response, count) => {
      if (count > 1) return serveRange(request, response, content)
      response.writeHead(200, { "content-length": content.length }).flushHeaders()
    })
    const { wish, troubles } = await begun(oneConnection, [], { address: server.origin })
    await transfer(wish)
    expect(troubles).toMatchObject([{ error: { message: expect.stringContaining("sent nothing of model.safetensors for 0.15 s") } }])
  })
})

describe("the pause between tries", () => {
  it("doubles up to a bound, and differs by chance", () => {
    const pace = { ...usualPace, backOff_ms: 100, longestBackOff_ms: 1000 }
    expect([1, 2, 3, 4, 5, 9].map((failures) => backOff(pace, failures, 0.5))).toEqual([100, 200, 400, 800, 1000, 1000])
    expect([0, 1].map((chance) => backOff(pace, 1, chance))).toEqual([75, 125])
  })
})
