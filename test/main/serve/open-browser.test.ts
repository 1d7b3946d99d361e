// The address reaches the system's opener whole, without a shell in between.
import { expect, it } from "vitest"
import { browserCommand } from "../../../main/serve/open-browser.ts"

it.each(["linux", "darwin", "win32"] as const)("passes the address as one argument on %s", (platform) => {
  const url = "http://127.0.0.1:1/?token=a&b=c"
  const [command, args] = browserCommand(url, platform)
  expect(args.at(-1)).toContain(url)
  expect(command).not.toMatch(/cmd|sh$/)
})
