import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import {
  copyFiles,
  deleteOwned,
  filesOfModel,
  folderNameFor,
  makeStaging,
  placeFolder,
  removeLeftStaging,
  removeOldEntries,
} from "../../../main/storage/model-folders.ts"
import { scratchFolder } from "../scratch.ts"

const signal = new AbortController().signal

function folderWith(files: Record<string, string>, folder = scratchFolder()): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

it("makes names for folders of every system", () => {
  expect(folderNameFor("SmolLM2-135M-Instruct")).toBe("SmolLM2-135M-Instruct")
  expect(folderNameFor("../../etc/passwd")).toBe("etc-passwd")
  expect(folderNameFor("a/b\\c:d*e?f")).toBe("a-b-c-d-e-f")
  expect(folderNameFor("...")).toBe("model")
  expect(folderNameFor("")).toBe("model")
  expect(folderNameFor("CON")).toBe("model-CON")
  expect(folderNameFor("nul.txt")).toBe("model-nul.txt")
  expect(folderNameFor("ends with dots...")).toBe("ends-with-dots")
  expect(folderNameFor("通义千问 7B")).toBe("通义千问-7B")
  expect(folderNameFor(`${"x".repeat(99)}..y`)).toBe("x".repeat(99))
})

describe("what is being made", () => {
  it("takes its place whole, under a free name", async () => {
    const models = scratchFolder()
    for (const expected of ["tiny", "tiny-2", "tiny-3"]) {
      const staging = await makeStaging(models, "job")
      folderWith({ "model/config.json": "{}" }, staging)
      expect(await placeFolder(join(staging, "model"), models, "tiny")).toBe(join(models, expected))
    }
    expect(readFileSync(join(models, "tiny-3", "config.json"), "utf8")).toBe("{}")
  })

  it("is removed when its job is gone, and only then", async () => {
    const models = scratchFolder()
    await makeStaging(models, "dead")
    await makeStaging(models, "alive")
    folderWith({ "tiny/config.json": "{}", ".partial-old/deep/file": "x" }, models)
    await removeLeftStaging(models, new Set(["alive"]))
    expect(readdirSync(models).sort()).toEqual([".partial-alive", "tiny"])
  })

  it("is removed when nobody has gone on with it for long", async () => {
    const folder = folderWith({ "old.part": "x", "new.part": "x" })
    utimesSync(join(folder, "old.part"), 1, 1)
    await removeOldEntries(folder, Date.now() - 1000_000)
    expect(readdirSync(folder)).toEqual(["new.part"])
  })
})

describe("deleting", () => {
  it("takes the whole folder of the model, and says how much that was", async () => {
    const models = folderWith({ "tiny/a": "12345", "tiny/deep/b": "123", "other/a": "1" })
    expect(await deleteOwned(models, join(models, "tiny"))).toBe(8)
    expect(readdirSync(models)).toEqual(["other"])
    // Of a model that is a file in its folder.
    folderWith({ "gguf/model.gguf": "1234" }, models)
    expect(await deleteOwned(models, join(models, "gguf", "model.gguf"))).toBe(4)
    expect(readdirSync(models)).toEqual(["other"])
    expect(await deleteOwned(models, join(models, "gone"))).toBe(0)
  })

  it("does not leave the models' folder", async () => {
    const home = folderWith({ "models/tiny/a": "1", "chats/a": "1", "models-of-mine/a": "1" })
    const models = join(home, "models")
    for (const path of [
      models,
      home,
      join(home, "chats"),
      join(home, "models-of-mine", "a"),
      join(models, "tiny", "..", "..", "chats"),
      "/",
    ])
      await expect(deleteOwned(models, path)).rejects.toMatchObject({ code: "no_permission" })
    expect(readdirSync(home).sort()).toEqual(["chats", "models", "models-of-mine"])
    expect(readdirSync(models)).toEqual(["tiny"])
  })

  it("removes links and not what they lead to", async () => {
    const outside = folderWith({ "precious/file": "1" })
    const models = folderWith({ "tiny/a": "1" })
    symlinkSync(join(outside, "precious"), join(models, "linked"))
    symlinkSync(join(outside, "precious"), join(models, "tiny", "inner"))
    expect(await deleteOwned(models, join(models, "linked"))).toBe(0)
    expect(await deleteOwned(models, join(models, "tiny"))).toBe(1)
    expect(readdirSync(models)).toEqual([])
    expect(existsSync(join(outside, "precious", "file"))).toBe(true)
  })
})

describe("copying", () => {
  it("takes what belongs to a model, following links", async () => {
    const cache = folderWith({ blob: "weights" })
    const folder = folderWith({ "config.json": "{}", LICENSE: "free", "pytorch_model.bin": "x", "sub/other.json": "x", "notes.pdf": "x" })
    symlinkSync(join(cache, "blob"), join(folder, "model.safetensors"))
    mkdirSync(join(folder, "a.json"))
    const out = join(scratchFolder(), "model")
    const seen: number[] = []
    await copyFiles(await filesOfModel(folder), out, { signal, onProgress: ({ done, total }) => seen.push(done / total) })
    expect(readdirSync(out).sort()).toEqual(["LICENSE", "config.json", "model.safetensors"])
    expect(readFileSync(join(out, "model.safetensors"), "utf8")).toBe("weights")
    expect(seen.at(-1)).toBe(1)
    expect(await filesOfModel(join(cache, "blob"))).toEqual([{ path: join(cache, "blob"), bytes: 7 }])
  })

  it("takes all parts of a split GGUF file, the one asked for first", async () => {
    const folder = folderWith({ "m-00001-of-00003.gguf": "1", "m-00002-of-00003.gguf": "22", "n-00003-of-00003.gguf": "x", "m.gguf": "x" })
    const [first, second] = ["m-00001-of-00003.gguf", "m-00002-of-00003.gguf"].map((name) => join(folder, name)) as [string, string]
    expect(await filesOfModel(second)).toEqual([
      { path: second, bytes: 2 },
      { path: first, bytes: 1 },
    ])
    expect(await filesOfModel(join(folder, "m.gguf"))).toHaveLength(1)
  })

  it("is refused where there is too little room, and stops when it is cancelled", async () => {
    const folder = folderWith({ "config.json": "{}" })
    const huge = [{ path: join(folder, "config.json"), bytes: 2 ** 60 }]
    await expect(copyFiles(huge, join(scratchFolder(), "m"), { signal, onProgress: () => {} })).rejects.toMatchObject({ code: "no_space" })
    const cancelled = { signal: AbortSignal.abort(), onProgress: () => {} }
    await expect(copyFiles(await filesOfModel(folder), join(scratchFolder(), "m"), cancelled)).rejects.toMatchObject({ code: "cancelled" })
  })
})
