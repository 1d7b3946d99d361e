import { chmodSync, existsSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import { dataFolder, huggingFaceCache, isInside, prepareDataFolder } from "../../../main/storage/paths.ts"
import { scratchFolder, withoutRoot } from "../scratch.ts"

describe("the data folder", () => {
  const at = (platform: NodeJS.Platform, env: Record<string, string>) => dataFolder({ env, platform, homeFolder: "/home/ada" })

  it("is where NIBBLE_HOME says, on every system", () => {
    for (const platform of ["linux", "darwin", "win32"] as const)
      expect(at(platform, { NIBBLE_HOME: "/big/disk" })).toBe(resolve("/big/disk"))
  })

  it("is where the system keeps such things otherwise", () => {
    expect(at("linux", {})).toBe("/home/ada/.local/share/nibble")
    expect(at("linux", { XDG_DATA_HOME: "/data" })).toBe("/data/nibble")
    expect(at("linux", { XDG_DATA_HOME: "relative" })).toBe("/home/ada/.local/share/nibble")
    expect(at("darwin", {})).toBe("/home/ada/Library/Application Support/Nibble")
    expect(at("win32", { APPDATA: "/Users/ada/AppData/Roaming" })).toBe(join("/Users/ada/AppData/Roaming", "Nibble"))
  })

  it("is made with its folders", async () => {
    const home = join(scratchFolder(), "a", "b")
    const paths = await prepareDataFolder(home)
    expect(existsSync(paths.models)).toBe(true)
    expect(existsSync(paths.downloads)).toBe(true)
    await expect(prepareDataFolder(home)).resolves.toEqual(paths)
  })

  it("is refused with a sentence where a file lies in the way", async () => {
    const home = join(scratchFolder(), "file")
    writeFileSync(home, "")
    await expect(prepareDataFolder(home)).rejects.toMatchObject({
      message: expect.stringContaining(home),
      hint: expect.stringContaining("NIBBLE_HOME"),
    })
  })

  it("is refused with a sentence where nothing can be written", async () => {
    const folder = scratchFolder()
    chmodSync(folder, 0o555)
    const home = join(folder, "home")
    const expected = { code: "no_permission", message: expect.stringContaining(home) }
    await expect(withoutRoot(() => prepareDataFolder(home))).rejects.toMatchObject(expected)
  })
})

describe("isInside", () => {
  it("holds for what lies below, and for nothing else", () => {
    expect(isInside("/data/models", "/data/models/a")).toBe(true)
    expect(isInside("/data/models", "/data/models/a/..b")).toBe(true)
    expect(isInside("/data/models", "/data/models/..b")).toBe(true)
    expect(isInside("/data/models", "/data/models")).toBe(false)
    expect(isInside("/data/models", "/data/models/../chats")).toBe(false)
    expect(isInside("/data/models", "/data/models-of-others/a")).toBe(false)
    expect(isInside("/data/models", "/data")).toBe(false)
  })
})

describe("the Hugging Face cache", () => {
  const at = (env: Record<string, string>) => huggingFaceCache({ env, homeFolder: "/home/ada" })

  it("is where the variables of the Python libraries say, the most exact one first", () => {
    expect(at({})).toBe("/home/ada/.cache/huggingface/hub")
    expect(at({ XDG_CACHE_HOME: "/fast" })).toBe("/fast/huggingface/hub")
    expect(at({ XDG_CACHE_HOME: "relative" })).toBe("/home/ada/.cache/huggingface/hub")
    expect(at({ HF_HOME: "/big" })).toBe("/big/hub")
    expect(at({ HF_HOME: "/big", HF_HUB_CACHE: "/bigger" })).toBe("/bigger")
  })
})
