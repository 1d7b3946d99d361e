import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join, parse } from "node:path"
import { expect, it } from "vitest"
import { classify } from "../../../main/models/find.ts"
import { createFiles } from "../../../main/services/files.ts"
import { scratchFolder, withoutRoot } from "../scratch.ts"
import { fixtures } from "./fake-engine.ts"

const context = { signal: new AbortController().signal, emit: async () => {} }

function lister(home = scratchFolder(), look = classify) {
  const { handlers } = createFiles({ classify: look, home })
  return { home, list: async (path: string | null) => handlers["files.list"]({ path }, context) }
}

it("lists folders and models, and nothing else", async () => {
  const { home, list } = lister()
  for (const name of ["folder 10", "folder 2", ".hidden"]) mkdirSync(join(home, name))
  cpSync(`${fixtures}llama`, join(home, "A llama"), { recursive: true })
  cpSync(`${fixtures}gguf/kinds.gguf`, join(home, "a.gguf"))
  writeFileSync(join(home, "notes.txt"), "x")
  writeFileSync(join(home, "false.gguf"), "x")
  symlinkSync(join(home, "gone"), join(home, "broken link"))
  const found = await list(null)
  expect(found.path).toBe(home)
  expect(found.entries.map(({ name, kind }) => [name, kind])).toEqual([
    ["A llama", "model-folder"],
    ["folder 2", "folder"],
    ["folder 10", "folder"],
    ["a.gguf", "gguf"],
  ])
  expect(found.entries[3]).toMatchObject({ path: join(home, "a.gguf"), bytes: expect.any(Number) })
  expect(found.entries[3]?.bytes).toBeGreaterThan(1000)
  expect((await list(join(home, "folder 2"))).parent).toBe(home)
})

it("ends at the root", async () => {
  const { list } = lister()
  const root = parse(scratchFolder()).root
  expect((await list(root)).parent).toBeNull()
})

it("says what is not there, not a folder, or not allowed", async () => {
  const { home, list } = lister()
  await expect(list(join(home, "none"))).rejects.toMatchObject({ code: "not_found", message: expect.stringContaining("none") })
  writeFileSync(join(home, "file"), "")
  await expect(list(join(home, "file"))).rejects.toMatchObject({ code: "not_found" })
  await expect(list("some/where")).rejects.toMatchObject({ code: "bad_input" })
})

it("says that a folder may not be read", async () => {
  const { home, list } = lister()
  mkdirSync(join(home, "locked"))
  chmodSync(join(home, "locked"), 0)
  chmodSync(home, 0o755)
  await expect(withoutRoot(() => list(join(home, "locked")))).rejects.toMatchObject({ code: "no_permission" })
})
