// The options and decisions that lock the window, without Electron.
import { describe, expect, it } from "vitest"
import {
  appScheme,
  decideLink,
  isAllowedRequest,
  isOwnAddress,
  isPermitted,
  pageAddress,
  windowOptions,
} from "../../../main/electron/window.ts"

describe("the window", () => {
  const { webPreferences } = windowOptions("/x/preload.cjs", { isDark: true })

  it("is sandboxed and isolated, without Node, with web security", () => {
    expect(webPreferences).toMatchObject({
      preload: "/x/preload.cjs",
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    })
  })

  it("shows the page of a scheme that is secure and has no more rights than it needs", () => {
    expect(pageAddress).toBe("app://nibble/")
    expect(appScheme).toEqual({ scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } })
  })
})

const foreign = [
  "https://example.com/",
  "http://127.0.0.1:4804/",
  "file:///etc/passwd",
  "app://other/",
  "app://nibble.evil.example/",
  "app://nibble@evil.example/",
  "app://user@nibble/",
  "apps://nibble/",
  "javascript:alert(1)",
  "about:blank",
  "",
  "not an address",
]

describe("addresses", () => {
  it.each(["app://nibble/", "app://nibble/index.html", "app://nibble/assets/a.js?x#y"])("%s is our own", (address) => {
    expect(isOwnAddress(address)).toBe(true)
    expect(isAllowedRequest(address)).toBe(true)
  })

  it.each(foreign)("%s is not", (address) => {
    expect(isOwnAddress(address)).toBe(false)
    expect(isAllowedRequest(address)).toBe(false)
  })

  it("of sockets are requests too, and not allowed", () => {
    expect(isAllowedRequest("wss://example.com/")).toBe(false)
    expect(isAllowedRequest("ws://127.0.0.1:1/")).toBe(false)
  })
})

describe("a link", () => {
  it.each(["https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct", "https://github.com/a/b?c=d", "https://arxiv.org/abs/2305.14314"])(
    "to %s opens in the browser",
    (address) => expect(decideLink(address)).toBe("open"),
  )

  it.each([
    "https://example.com/",
    "https://huggingface.co.evil.example/",
    "https://evil.example/huggingface.co",
    "https://huggingface.co:8443/",
    "https://xn--hggingface-9dc.co/",
  ])("to %s asks first", (address) => expect(decideLink(address)).toBe("ask"))

  it.each([
    "http://huggingface.co/",
    "https://huggingface.co@evil.example/",
    "https://user:word@huggingface.co/",
    "file:///bin/sh",
    "javascript:alert(1)",
    "data:text/html,x",
    "smb://server/share",
    "ms-settings:privacy",
    "mailto:a@b.example",
    "app://nibble/",
    "",
    "huggingface.co",
  ])("to %s is refused", (address) => expect(decideLink(address)).toBe("deny"))
})

it("may write to the clipboard, and nothing else that asks", () => {
  expect(isPermitted("clipboard-sanitized-write", pageAddress)).toBe(true)
  expect(isPermitted("clipboard-sanitized-write", "https://example.com/")).toBe(false)
  for (const permission of [
    "clipboard-read",
    "media",
    "geolocation",
    "notifications",
    "openExternal",
    "fullscreen",
    "hid",
    "fileSystem",
    "unknown",
  ])
    expect(isPermitted(permission, pageAddress), permission).toBe(false)
})
