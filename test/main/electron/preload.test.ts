// The preload passes ports on and exposes nothing: what it may import and call is read from its source.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const source = readFileSync(fileURLToPath(new URL("../../../main/electron/preload.ts", import.meta.url)), "utf8")

it("imports ipcRenderer alone and hands nothing of it to the page", () => {
  expect([...source.matchAll(/from "([^"]+)"/g)].map(([, module]) => module)).toEqual(["electron"])
  expect(source).toContain('import { ipcRenderer } from "electron"')
  expect(source).not.toMatch(/contextBridge|exposeInMainWorld|ipcRenderer\.(send|invoke|postMessage)|require\(|import\(/)
})

it("posts to its own origin only", () => {
  expect(source.match(/postMessage\(([^)]*)\)/g)).toHaveLength(2)
  expect(source).toContain("window.location.origin")
  expect(source).not.toContain('"*"')
})
