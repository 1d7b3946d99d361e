import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { createOutputFolder } from "../../../main/engine/output-folder.ts"
import { closedFolder, listing, temporaryFolder } from "./fixtures.ts"

const folder = temporaryFolder()

test("appears complete, and only then", async () => {
  const out = join(folder, "new/deeper/model")
  const made = await createOutputFolder(out)
  writeFileSync(join(made.temporary, "file"), "")
  expect(existsSync(out)).toBe(false)
  await made.complete()
  await made.abandon()
  expect(listing(join(folder, "new/deeper"))).toEqual(["model"])
  expect(listing(out)).toEqual(["file"])
})

test("abandoned, it leaves nothing, not even the folders above", async () => {
  const before = listing(folder)
  const made = await createOutputFolder(join(folder, "a/b/c"))
  writeFileSync(join(made.temporary, "file"), "")
  await made.abandon()
  expect(listing(folder)).toEqual(before)
})

test("an empty folder is taken, also behind a link", async () => {
  mkdirSync(join(folder, "empty"))
  symlinkSync(join(folder, "empty"), join(folder, "link"))
  const made = await createOutputFolder(join(folder, "link"))
  writeFileSync(join(made.temporary, "file"), "")
  await made.complete()
  expect(listing(join(folder, "empty"))).toEqual(["file"])
  expect(listing(join(folder, "link"))).toEqual(["file"])
})

test("what is there is never overwritten, also not when it comes meanwhile", async () => {
  mkdirSync(join(folder, "full"))
  writeFileSync(join(folder, "full/file"), "mine")
  await expect(createOutputFolder(join(folder, "full"))).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringContaining("not empty"),
  })
  await expect(createOutputFolder(join(folder, "full/file"))).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringContaining("is a file"),
  })
  const made = await createOutputFolder(join(folder, "late"))
  mkdirSync(join(folder, "late"))
  writeFileSync(join(folder, "late/file"), "mine")
  await expect(made.complete()).rejects.toMatchObject({ code: "bad_input" })
  await made.abandon()
  expect(listing(join(folder, "late"))).toEqual(["file"])
})

test("impossible places", async () => {
  await expect(createOutputFolder("a\0b")).rejects.toMatchObject({ code: "bad_input" })
  await expect(createOutputFolder("/")).rejects.toMatchObject({ code: "bad_input" })
  await expect(createOutputFolder(join(folder, "x".repeat(300)))).rejects.toMatchObject({ code: "ENAMETOOLONG" })
  await expect(createOutputFolder(join(folder, "full/file/below"))).rejects.toMatchObject({ code: expect.stringMatching(/EEXIST|ENOTDIR/) })
})

test("a folder that may not be written to", async () => {
  await expect(createOutputFolder(join(closedFolder(folder), "model"))).rejects.toMatchObject({
    code: expect.stringMatching(/EACCES|EPERM/),
  })
})

test("what an ended process left beside is removed; what a running one fills stays", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""])
  const place = join(folder, "leftovers")
  mkdirSync(join(place, `.model.partial-${pid}-0123abcd/deep`), { recursive: true })
  mkdirSync(join(place, `.model.partial-${process.ppid}-0123abcd`))
  mkdirSync(join(place, ".model.partial-of-mine"))
  const made = await createOutputFolder(join(place, "model"))
  await made.abandon()
  expect(listing(place)).toEqual([`.model.partial-${process.ppid}-0123abcd`, ".model.partial-of-mine"])
})
