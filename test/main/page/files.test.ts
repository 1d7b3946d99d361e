// Only files of the page, whatever the address is made of.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { findPageFile } from "../../../main/page/files.ts"

let root: string
let folder: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "nibble-page-"))
  folder = join(root, "page")
  mkdirSync(join(folder, "assets"), { recursive: true })
  writeFileSync(join(folder, "index.html"), "<p>page</p>")
  writeFileSync(join(folder, "assets/main-B1x_9Qaz.js"), "start()")
  writeFileSync(join(folder, "assets/inter-latin-wght-normal-Dx4kXJAl.woff2"), "font")
  writeFileSync(join(folder, "favicon.svg"), "<svg/>")
  writeFileSync(join(folder, ".secret.json"), "{}")
  writeFileSync(join(root, "outside.txt"), "outside")
  symlinkSync(root, join(folder, "assets", "above"))
})
afterAll(() => rmSync(root, { recursive: true }))

it("finds the page, its files and their types", async () => {
  const index = await findPageFile(folder, "/")
  expect(index).toEqual({ content: Buffer.from("<p>page</p>"), type: "text/html; charset=utf-8", isHashed: false })
  expect(await findPageFile(folder, "/index.html")).toEqual(index)
  expect(await findPageFile(folder, "/assets/main-B1x_9Qaz.js")).toMatchObject({ type: "text/javascript; charset=utf-8", isHashed: true })
  expect(await findPageFile(folder, "/assets/inter-latin-wght-normal-Dx4kXJAl.woff2")).toMatchObject({ type: "font/woff2", isHashed: true })
  expect(await findPageFile(folder, "/favicon.svg")).toMatchObject({ type: "image/svg+xml", isHashed: false })
})

it.each([
  "/../outside.txt",
  "/..%2foutside.txt",
  "/..%2Foutside.txt",
  "/%2e%2e/outside.txt",
  "/..%5coutside.txt",
  "/..\\outside.txt",
  "/assets/../../outside.txt",
  "/assets/..%252f..%252foutside.txt",
  "//outside.txt",
  "/assets//main-B1x_9Qaz.js",
  "/./index.html",
  "/.secret.json",
  "/index.html%00.js",
  "/index.html/",
  "/assets",
  "/missing.js",
  "outside.txt",
  "",
])("finds nothing at %s", async (address) => {
  expect(await findPageFile(folder, address)).toBeNull()
})
