// A token works once, a newer one ends an older, and only the exact cookie counts.
import { expect, it } from "vitest"
import { createSession } from "../../../main/serve/session.ts"

const cookieOf = (setCookie: string) => setCookie.split(";")[0]!

it("takes a token once", () => {
  const session = createSession("secret")
  const token = session.newToken()
  expect(session.redeem("")).toBe(false)
  expect(session.redeem(`${token}x`)).toBe(false)
  expect(session.redeem(token)).toBe(true)
  expect(session.redeem(token)).toBe(false)
})

it("has no token before one is asked for, and only the newest after", () => {
  const session = createSession("secret")
  expect(session.redeem("")).toBe(false)
  const [older, newer] = [session.newToken(), session.newToken()]
  expect(session.redeem(older)).toBe(false)
  expect(session.redeem(newer)).toBe(true)
})

it("sets a cookie that scripts and other sites cannot use", () => {
  expect(createSession("secret").setCookie).toMatch(/^nibble-[0-9a-f]{12}=secret; Path=\/; HttpOnly; SameSite=Strict$/)
})

it("knows its cookie among others, and no other value", () => {
  const session = createSession("secret")
  const cookie = cookieOf(session.setCookie)
  expect(session.isKnown(cookie)).toBe(true)
  expect(session.isKnown(`a=b; ${cookie}; c=d`)).toBe(true)
  expect(session.isKnown(`${cookie}x`)).toBe(false)
  expect(session.isKnown("a=secret")).toBe(false)
  expect(session.isKnown(cookieOf(createSession("other").setCookie))).toBe(false)
  expect(session.isKnown(undefined)).toBe(false)
})

it("is the same session after a restart with the same secret", () => {
  expect(createSession("secret").isKnown(cookieOf(createSession("secret").setCookie))).toBe(true)
})
