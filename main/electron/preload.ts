// Passes the port that main sends on to the page, after each load. Nothing else: no API, no logic.
import { ipcRenderer } from "electron"

declare const window: { postMessage(message: unknown, origin: string, ports: unknown[]): void; location: { origin: string } }

ipcRenderer.on("port", ({ ports }) => window.postMessage("port", window.location.origin, [...ports]))
