// The menu of each system has what its users look for; the developers' tools are gone once packaged.
import { expect, it } from "vitest"
import { menuTemplate } from "../../../main/electron/menu.ts"

const rolesOf = (items: ReturnType<typeof menuTemplate>): unknown[] =>
  items.flatMap((item) => [item.role ?? item.label ?? item.type, ...(Array.isArray(item.submenu) ? rolesOf(item.submenu) : [])])

it("ends the program where the system's users look for that", () => {
  expect(rolesOf(menuTemplate("linux", false, { copyDiagnostics() {} }))).toContain("quit")
  expect(rolesOf(menuTemplate("darwin", false, { copyDiagnostics() {} }))[0]).toBe("appMenu")
})

it("has the developers' tools in a checkout only", () => {
  expect(rolesOf(menuTemplate("win32", false, { copyDiagnostics() {} }))).toContain("toggleDevTools")
  expect(rolesOf(menuTemplate("win32", true, { copyDiagnostics() {} }))).not.toContain("toggleDevTools")
})

it("copies the text for a bug report", () => {
  let copied = 0
  const help = menuTemplate("linux", true, { copyDiagnostics: () => void copied++ }).at(-1)
  const [item] = (help?.submenu ?? []) as { click(): void }[]
  item?.click()
  expect(copied).toBe(1)
})
