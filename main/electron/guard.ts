// Locks a window and its session: it shows our page and nothing else, asks for nothing, and downloads nothing.
import { type BrowserWindow, dialog, type Session, shell } from "electron"
import { decideLink, isAllowedRequest, isOwnAddress, isPermitted } from "./window.ts"

export function guardSession(session: Session): void {
  session.setPermissionRequestHandler((_, permission, answer, { requestingUrl }) => answer(isPermitted(permission, requestingUrl)))
  session.setPermissionCheckHandler((_, permission, origin) => isPermitted(permission, `${origin.replace(/\/$/, "")}/`))
  session.setDevicePermissionHandler(() => false)
  session.setSpellCheckerEnabled(false)
  session.webRequest.onBeforeRequest(({ url }, answer) => answer({ cancel: !isAllowedRequest(url) }))
  session.on("will-download", (event) => event.preventDefault())
}

export function guardWindow(window: BrowserWindow): void {
  const { webContents } = window
  const stayHere = (event: { preventDefault(): void; url: string }) => {
    if (!isOwnAddress(event.url)) event.preventDefault()
  }
  webContents.on("will-navigate", stayHere)
  webContents.on("will-frame-navigate", stayHere)
  webContents.on("will-redirect", stayHere)
  webContents.on("will-attach-webview", (event) => event.preventDefault())
  webContents.setWindowOpenHandler(({ url }) => {
    void openLink(window, url)
    return { action: "deny" }
  })
}

async function openLink(window: BrowserWindow, url: string): Promise<void> {
  const decision = decideLink(url)
  if (decision === "deny") return
  if (decision === "ask") {
    const { response } = await dialog.showMessageBox(window, {
      type: "question",
      message: "Open this address in the browser?",
      detail: new URL(url).href,
      buttons: ["Cancel", "Open"],
      defaultId: 0,
      cancelId: 0,
    })
    if (response !== 1) return
  }
  await shell.openExternal(url)
}
