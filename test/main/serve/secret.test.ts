// The secret survives a restart, and nobody else can read it.
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { sessionSecret } from "../../../main/serve/secret.ts"

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nibble-secret-"))
})
afterEach(() => rmSync(home, { recursive: true }))

const file = () => join(home, "session-secret")

it("is made once and kept, for its owner only", async () => {
  const secret = await sessionSecret(home)
  expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(await sessionSecret(home)).toBe(secret)
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(readdirSync(home)).toEqual(["session-secret"])
})

it("makes the data folder where there is none", async () => {
  expect(await sessionSecret(join(home, "not", "yet"))).toHaveLength(43)
})

it("is replaced when others could have read it", async () => {
  const secret = await sessionSecret(home)
  chmodSync(file(), 0o644)
  expect(await sessionSecret(home)).not.toBe(secret)
  expect(statSync(file()).mode & 0o777).toBe(0o600)
})

it("is replaced when it is older than 30 days", async () => {
  const secret = await sessionSecret(home)
  const before = (days: number) => new Date(Date.now() - days * 86_400_000)
  utimesSync(file(), before(29), before(29))
  expect(await sessionSecret(home)).toBe(secret)
  utimesSync(file(), before(31), before(31))
  expect(await sessionSecret(home)).not.toBe(secret)
})

it("is replaced when the file does not hold one", async () => {
  writeFileSync(file(), "x\r\nSet-Cookie: y", { mode: 0o600 })
  expect(await sessionSecret(home)).toMatch(/^[A-Za-z0-9_-]{43}$/)
})
