// Opens an address in the user's browser with the system's own way to do so.
import { spawn } from "node:child_process"

export function browserCommand(url: string, platform: NodeJS.Platform = process.platform): [command: string, args: string[]] {
  if (platform === "darwin") return ["open", [url]]
  // `start` is a command of the shell, which would read the "&" of an address; this one takes the address as it is.
  if (platform === "win32") return ["rundll32", ["url.dll,FileProtocolHandler", url]]
  return ["xdg-open", [url]]
}

/** Resolves with whether something was started; never throws. */
export function openBrowser(url: string): Promise<boolean> {
  const [command, args] = browserCommand(url)
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "ignore", detached: true })
    child.once("error", () => resolve(false))
    child.once("spawn", () => {
      child.unref()
      resolve(true)
    })
  })
}
