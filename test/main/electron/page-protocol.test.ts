// app:// serves the page with its policy, and nothing beside it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { answerPageRequest } from "../../../main/electron/page-protocol.ts"

let root: string
let folder: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "nibble-protocol-"))
  folder = join(root, "page")
  mkdirSync(join(folder, "assets"), { recursive: true })
  writeFileSync(join(folder, "index.html"), "<p>page</p>")
  writeFileSync(join(folder, "assets/main-B1x_9Qaz.js"), "start()")
  writeFileSync(join(root, "outside.txt"), "outside")
})
afterAll(() => rmSync(root, { recursive: true }))

const ask = (url: string, method = "GET") => answerPageRequest({ url, method }, folder)

it.each([
  ["app://nibble/", "text/html; charset=utf-8", "<p>page</p>"],
  ["app://nibble", "text/html; charset=utf-8", "<p>page</p>"],
  ["app://nibble/?x#y", "text/html; charset=utf-8", "<p>page</p>"],
  ["app://nibble/assets/main-B1x_9Qaz.js", "text/javascript; charset=utf-8", "start()"],
])("answers %s", async (url, type, text) => {
  const response = await ask(url)
  expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([200, type, text])
})

it("sends the content policy with every answer, without any address to connect to", async () => {
  for (const url of ["app://nibble/", "app://nibble/missing.js", "app://other/"]) {
    const { headers } = await ask(url)
    expect(headers.get("content-security-policy"), url).toMatch(/^default-src 'none'; script-src 'self';.* connect-src 'self';/)
    expect(headers.get("x-content-type-options")).toBe("nosniff")
  }
})

it.each([
  "app://nibble/../outside.txt",
  "app://nibble/..%2foutside.txt",
  "app://nibble/%2e%2e/outside.txt",
  "app://nibble/assets/..%5c..%5coutside.txt",
])("finds nothing at %s", async (url) => expect((await ask(url)).status).toBe(404))

it.each([
  ["app://other/", "GET"],
  ["https://nibble/", "GET"],
  ["app://nibble/", "POST"],
])("refuses %s by %s", async (url, method) => expect((await ask(url, method)).status).toBe(400))
