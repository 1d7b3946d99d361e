import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { writeFileAtomic } from "../../../main/storage/atomic-file.ts"
import { scratchFolder } from "../scratch.ts"

it("replaces a file whole", async () => {
  const folder = scratchFolder()
  const path = join(folder, "state.json")
  writeFileSync(path, "a longer text that was there before")
  await writeFileAtomic(path, "new")
  expect(readFileSync(path, "utf8")).toBe("new")
  expect(readdirSync(folder)).toEqual(["state.json"])
})

it("leaves the old file and nothing half-made where writing fails", async () => {
  const folder = scratchFolder()
  const path = join(folder, "taken")
  mkdirSync(join(path, "full"), { recursive: true })
  await expect(writeFileAtomic(path, "new")).rejects.toThrow()
  expect(readdirSync(folder)).toEqual(["taken"])
  expect(readdirSync(path)).toEqual(["full"])
})
