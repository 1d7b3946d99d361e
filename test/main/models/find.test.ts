import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { classify } from "../../../main/models/find.ts"
import { models, temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()

test("folders, with a configuration and without", async () => {
  expect(await classify(join(models, "llama"))).toBe("model-folder")
  expect(await classify(models)).toBe("folder")
  mkdirSync(join(folder, "odd/config.json"), { recursive: true })
  expect(await classify(join(folder, "odd"))).toBe("folder")
})

test("GGUF files by ending and content", async () => {
  const whole = join(models, "gguf/kinds.gguf")
  expect(await classify(whole)).toBe("gguf")
  copyFileSync(whole, join(folder, "kinds.bin"))
  expect(await classify(join(folder, "kinds.bin"))).toBeNull()
  writeFileSync(join(folder, "short.gguf"), "GG")
  expect(await classify(join(folder, "short.gguf"))).toBeNull()
  mkdirSync(join(folder, "folder.gguf"))
  expect(await classify(join(folder, "folder.gguf"))).toBe("folder")
})

test("everything else is nothing, and no error", async () => {
  symlinkSync("loop.gguf", join(folder, "loop.gguf"))
  for (const path of [join(models, "llama/model.safetensors"), join(folder, "none"), join(folder, "loop.gguf"), "a\0.gguf", ""]) {
    expect(await classify(path)).toBeNull()
  }
})
