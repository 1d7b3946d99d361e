// Which Host and Origin headers are our own.
import { hostname } from "node:os"
import { describe, expect, it } from "vitest"
import { isOwnHost, isOwnOrigin } from "../../../main/serve/caller.ts"

describe("a server on loopback", () => {
  it.each(["127.0.0.1:4804", "localhost:4804", "LOCALHOST:9000", "[::1]:4804", "127.0.0.1"])("is named by %s", (host) => {
    expect(isOwnHost(host, "127.0.0.1")).toBe(true)
  })
  it.each([
    undefined,
    "",
    "evil.example:4804",
    "127.0.0.1.evil.example:4804",
    "localhost.evil.example",
    "192.168.0.7:4804",
    "127.0.0.1:4804@evil.example",
    "127.0.0.1:4804, evil.example",
    "127.0.0.1:4804;script-src *",
    "127.0.0.1:port",
    "[::1",
  ])("is not named by %s", (host) => {
    expect(isOwnHost(host, "127.0.0.1")).toBe(false)
  })
  it("is not named by this computer's own name, which others may point elsewhere", () => {
    expect(isOwnHost(`${hostname()}:4804`, "127.0.0.1")).toBe(hostname() === "localhost")
  })
})

describe("a server on an open address", () => {
  it.each(["192.168.0.7:4804", "[fe80::1]:4804", hostname(), "localhost:4804"])("is named by %s", (host) => {
    expect(isOwnHost(host, "0.0.0.0")).toBe(true)
  })
  it("is not named by a foreign name", () => {
    expect(isOwnHost("evil.example:4804", "0.0.0.0")).toBe(false)
    expect(isOwnHost("box.lan:4804", "box.lan")).toBe(true)
  })
})

it("takes the very origin it served and no other", () => {
  expect(isOwnOrigin("http://127.0.0.1:4804", "127.0.0.1:4804")).toBe(true)
  for (const origin of [undefined, "null", "", "http://127.0.0.1:4805", "https://127.0.0.1:4804", "http://evil.example", "file://"])
    expect(isOwnOrigin(origin, "127.0.0.1:4804"), String(origin)).toBe(false)
})
