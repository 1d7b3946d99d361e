// The policy names nothing that a reply could use to reach out or to run.
import { expect, it } from "vitest"
import { contentPolicy, securityHeaders } from "../../../main/page/policy.ts"

const directives = (policy: string) => new Map(policy.split("; ").map((one) => [one.split(" ")[0], one.split(" ").slice(1).join(" ")]))

it("starts from nothing and allows own files only", () => {
  const policy = directives(contentPolicy())
  expect(policy.get("default-src")).toBe("'none'")
  for (const kind of ["script-src", "style-src", "font-src", "connect-src"]) expect(policy.get(kind)).toBe("'self'")
  expect(policy.get("img-src")).toBe("'self' data: blob:")
  for (const kind of ["object-src", "base-uri", "form-action", "frame-ancestors"]) expect(policy.get(kind)).toBe("'none'")
  expect(contentPolicy()).not.toMatch(/unsafe|https?:|\*/)
})

it("adds addresses to connect-src alone", () => {
  expect(contentPolicy(["ws://127.0.0.1:1"]).replace("connect-src 'self' ws://127.0.0.1:1", "connect-src 'self'")).toBe(contentPolicy())
})

it("keeps the page out of frames and its address out of others' logs", () => {
  expect(securityHeaders()).toMatchObject({
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
  })
  expect(securityHeaders()["Permissions-Policy"]).toContain("camera=(), microphone=()")
})
