// What a window may do and where it may go: plain objects and decisions, so that they are tested without Electron.
import type { BrowserWindowConstructorOptions, CustomScheme } from "electron"

export const scheme = "app"
export const pageAddress = `${scheme}://nibble/`

/** A proper origin of its own instead of file://: relative addresses, modules and the content policy work as on the web. */
export const appScheme: CustomScheme = {
  scheme,
  privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
}

export function windowOptions(preload: string, { isDark }: { isDark: boolean }): BrowserWindowConstructorOptions {
  return {
    title: "Nibble",
    width: 1280,
    height: 820,
    minWidth: 420,
    minHeight: 480,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: isDark ? "#16161a" : "#ffffff",
    webPreferences: {
      preload,
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
      // Dictionaries would be downloaded from elsewhere.
      spellcheck: false,
      devTools: true,
    },
  }
}

/** Addresses of our own page; everything else is a foreign place. */
export function isOwnAddress(address: string): boolean {
  try {
    const { protocol, host, username, password } = new URL(address)
    return protocol === `${scheme}:` && host === "nibble" && username === "" && password === ""
  } catch {
    return false
  }
}

/** What the page may request at all. The tools for developers are a page of the browser's own. */
export function isAllowedRequest(address: string): boolean {
  return isOwnAddress(address) || /^(devtools|blob|data):/.test(address)
}

/** A link may lead here without a question. */
const knownHosts = ["huggingface.co", "github.com", "arxiv.org", "www.apache.org", "opensource.org"]

/** A click on a link: opened in the browser, opened after the user has seen the whole address and agreed, or not at all. */
export function decideLink(address: string): "open" | "ask" | "deny" {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    return "deny"
  }
  if (url.protocol !== "https:" || url.username !== "" || url.password !== "") return "deny"
  return url.port === "" && knownHosts.includes(url.hostname) ? "open" : "ask"
}

/** Nothing that a browser asks permission for is needed, but writing to the clipboard on a click. */
export function isPermitted(permission: string, address: string): boolean {
  return permission === "clipboard-sanitized-write" && isOwnAddress(address)
}
