import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { createNetwork, type Network, type NetworkOptions } from "../../../main/hub/network.ts"
import { requireProxy } from "../../../main/hub/proxy.ts"
import { request } from "../../../main/hub/request.ts"
import { transfer } from "../../../main/hub/transfer.ts"
import { scratchFolder } from "../scratch.ts"
import { loopback, serveRange } from "./loopback.ts"
import { httpProxy, socksProxy } from "./proxies.ts"

const content = Buffer.from("what is fetched")
const digest = { algorithm: "sha256", hex: createHash("sha256").update(content).digest("hex") } as const

async function hub() {
  const server = await loopback((incoming, response) => serveRange(incoming, response, content))
  return { ...server, port: Number(new URL(server.origin).port) }
}

/** Through no proxy of the computer that the test runs on. */
const network = (proxy: string, env: NetworkOptions["env"] = {}) => createNetwork({ settings: { proxy, bytesPerSecondLimit: 0 }, env })

async function fetchBy(way: Network, address = "http://hub.test/model"): Promise<string> {
  const path = join(scratchFolder(), "model")
  const signal = new AbortController().signal
  const pace = { attempts: 1, headers_ms: 2000 }
  await transfer({ address, path, bytes: content.length, digest, network: way, signal, pace, onProgress: () => {} })
  return readFileSync(path, "utf8")
}

describe("transfers", () => {
  it("go through the proxy of the settings, with its name and password, and ask it for the name", async () => {
    const { port } = await hub()
    const proxy = await httpProxy(port)
    expect(await fetchBy(network(proxy.address.replace("//", "//ada:secret@")))).toBe("what is fetched")
    expect(proxy.asked).toEqual([`GET http://hub.test/model Basic ${Buffer.from("ada:secret").toString("base64")}`])
  })

  it("are tunneled where the address is encrypted", async () => {
    const proxy = await httpProxy(0)
    await expect(fetchBy(network(proxy.address), "https://hub.test/model")).rejects.toMatchObject({
      code: "network",
      message: expect.stringContaining("hub.test"),
    })
    expect(proxy.asked).toEqual(["CONNECT hub.test:443"])
  })

  it("go through the proxies of the environment, where the settings name none", async () => {
    const { port } = await hub()
    const [plain, encrypted] = [await httpProxy(port), await httpProxy(0)]
    const way = network("", { http_proxy: plain.address, HTTPS_PROXY: encrypted.address, NO_PROXY: "other.test" })
    expect(await fetchBy(way)).toBe("what is fetched")
    await expect(fetchBy(way, "https://hub.test/model")).rejects.toMatchObject({ code: "network" })
    expect([plain.asked, encrypted.asked]).toEqual([["GET http://hub.test/model"], ["CONNECT hub.test:443"]])
  })

  it("go directly to this computer and to what NO_PROXY names", async () => {
    const { origin, port } = await hub()
    const proxy = await httpProxy(port)
    expect(await fetchBy(network(proxy.address), origin)).toBe("what is fetched")
    const way = network(proxy.address, { NO_PROXY: "example.test,.hub.test" })
    await expect(fetchBy(way, "http://storage.hub.test/model")).rejects.toMatchObject({ code: "network" })
    expect(proxy.asked).toEqual([])
  })

  it("go through a SOCKS proxy", async () => {
    const { port } = await hub()
    const proxy = await socksProxy(port, "ada:secret")
    expect(await fetchBy(network(proxy.address))).toBe("what is fetched")
    expect(proxy.asked).toEqual(["hub.test:80"])
    await expect(fetchBy(network(proxy.address.replace("secret", "wrong")))).rejects.toMatchObject({ code: "network" })
  })

  it("take another proxy with the next request", async () => {
    const { origin, port } = await hub()
    const [one, other] = [await httpProxy(port), await httpProxy(port)]
    const way = network(one.address)
    const before = way.dispatcher()
    way.apply({ proxy: one.address, bytesPerSecondLimit: 10 })
    expect(way.dispatcher()).toBe(before)
    await fetchBy(way)
    way.apply({ proxy: other.address, bytesPerSecondLimit: 0 })
    await fetchBy(way)
    expect([one.asked.length, other.asked.length]).toEqual([1, 1])
    way.apply({ proxy: "", bytesPerSecondLimit: 0 })
    await fetchBy(way, origin)
    await way.close()
    expect([one.asked.length, other.asked.length]).toEqual([1, 1])
  })
})

describe("a proxy's address", () => {
  it("is refused with a sentence where it cannot be used, and without its password", () => {
    for (const proxy of ["", "  ", "http://proxy.example:3128", "https://ada:x@proxy.example", "socks5://127.0.0.1:1080"])
      expect(() => requireProxy(proxy)).not.toThrow()
    for (const proxy of ["socks4://proxy.example", "ftp://proxy.example", "pac+http://proxy.example"])
      expect(() => requireProxy(proxy)).toThrow(/not supported/)
    for (const proxy of ["proxy.example:3128", "proxy.example", "http://", "http://a b"])
      expect(() => requireProxy(proxy)).toThrow(/no address|names no host/)
    expect(() => requireProxy("socks4://ada:secret@proxy.example")).toThrow(/^(?!.*secret)/)
  })

  it("of the environment is refused when something is fetched, and named", async () => {
    const way = network("", { HTTPS_PROXY: "socks4://proxy.example" })
    const options = { signal: new AbortController().signal, headers_ms: 1000, network: way }
    await expect(request("https://hub.test/", options)).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringContaining("HTTPS_PROXY"),
    })
  })
})
