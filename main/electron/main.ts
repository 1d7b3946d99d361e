// Entry of the desktop program: one instance, one window, the services behind it.
// Electron starts this as the bundle dist/main/electron.mjs; preload.cjs and host.mjs lie beside it.
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import {
  app,
  BrowserWindow,
  clipboard,
  dialog,
  Menu,
  MessageChannelMain,
  nativeTheme,
  protocol,
  safeStorage,
  session,
  utilityProcess,
} from "electron"
import { app as contract } from "../../shared/contract/app.ts"
import { serve } from "../../shared/rpc.ts"
import { toErrorData } from "../../shared/schema/error.ts"
import { type App, createApp } from "../app.ts"
import { hostPath } from "../engine/fork.ts"
import { pageFolder } from "../page/files.ts"
import { dataFolder } from "../storage/paths.ts"
import { createSecretStore } from "../storage/secret-store.ts"
import { version } from "../version.ts"
import { guardSession, guardWindow } from "./guard.ts"
import { menuTemplate } from "./menu.ts"
import { answerPageRequest } from "./page-protocol.ts"
import { hostOfUtilityProcess, pagePort } from "./ports.ts"
import { appScheme, isOwnAddress, pageAddress, scheme, windowOptions } from "./window.ts"
import { windowMemoryOf } from "./window-memory.ts"

const home = dataFolder()

/** A page that dies again this soon after a reload is left as it is. */
const shortestLife_ms = 10_000

function startHost() {
  const stdio: ("ignore" | "inherit" | "pipe")[] = ["ignore", "inherit", "pipe"]
  // As forkHost starts it: V8's flags have a switch of their own here.
  const options = { serviceName: "engine", stdio, execArgv: ["--js-flags=--expose-gc"] }
  return hostOfUtilityProcess(utilityProcess.fork(hostPath(), [], options))
}

function openWindow({ handlers }: App): BrowserWindow {
  const preload = fileURLToPath(new URL("./preload.cjs", import.meta.url))
  const window = new BrowserWindow(windowOptions(preload, { isDark: nativeTheme.shouldUseDarkColors }))
  guardWindow(window)
  const { webContents } = window

  // One port per load: what the page before had running ends with it.
  let closePort = () => {}
  webContents.on("did-finish-load", () => {
    closePort()
    if (!isOwnAddress(webContents.getURL())) return
    const { port1, port2 } = new MessageChannelMain()
    closePort = () => port1.close()
    serve(contract, handlers, pagePort(port1), { isChecked: process.env.NIBBLE_CHECKED === "1" })
    webContents.postMessage("port", null, [port2])
  })
  webContents.on("did-start-navigation", ({ isMainFrame, isSameDocument }) => {
    if (isMainFrame && !isSameDocument) closePort()
  })
  let reloadedAt = Number.NEGATIVE_INFINITY
  webContents.on("render-process-gone", (_, { reason }) => {
    closePort()
    const isLoop = performance.now() - reloadedAt < shortestLife_ms
    if (reason === "clean-exit" || isLoop) return
    reloadedAt = performance.now()
    webContents.reload()
  })
  window.once("ready-to-show", () => window.show())
  void window.loadURL(pageAddress)
  return window
}

const keychain = {
  protect: (secret: string) => safeStorage.encryptString(secret),
  reveal: (bytes: Buffer) => safeStorage.decryptString(bytes),
}

async function start(): Promise<void> {
  protocol.handle(scheme, (request) => answerPageRequest(request, pageFolder))
  guardSession(session.defaultSession)
  const nibble: App = await createApp({
    ...{ home, face: "electron", startHost, version },
    // Where the system has no keychain to offer, the file of the other faces.
    secrets: (folder) => createSecretStore(folder, safeStorage.isEncryptionAvailable() ? keychain : undefined),
    windowMemory: () => windowMemoryOf(app.getAppMetrics(), nibble.engine.pid),
  })
  const copyDiagnostics = async () => {
    const unused = { signal: new AbortController().signal, emit: async () => {} }
    clipboard.writeText(await nibble.handlers["app.diagnostics"](undefined, unused))
  }
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(menuTemplate(process.platform, app.isPackaged, { copyDiagnostics: () => void copyDiagnostics() })),
  )

  let window = openWindow(nibble)
  app.on("second-instance", () => {
    if (window.isDestroyed()) window = openWindow(nibble)
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  app.on("activate", () => {
    if (BrowserWindow.getAllWindows().length === 0) window = openWindow(nibble)
  })
  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") app.quit()
  })
  let isClosing = false
  app.on("before-quit", (event) => {
    event.preventDefault()
    if (isClosing) return
    isClosing = true
    void nibble.close().finally(() => app.exit(0))
  })
}

function fail(thrown: unknown): void {
  const { message, hint } = toErrorData(thrown)
  dialog.showErrorBox("Nibble cannot start", hint ? `${message}\n\n${hint}` : message)
  app.exit(1)
}

for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => app.quit())
app.enableSandbox()
protocol.registerSchemesAsPrivileged([appScheme])
// The browser's own files go with the data: another NIBBLE_HOME is another program, also for the one-instance rule.
app.setPath("userData", join(home, "electron"))
if (app.requestSingleInstanceLock()) app.whenReady().then(start).catch(fail)
else app.quit()
