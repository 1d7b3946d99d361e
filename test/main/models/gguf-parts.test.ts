// Models split into several GGUF files: any part opens the whole, and parts that do not belong together are refused.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { expect, test } from "vitest"
import { ggufName, ggufPartPaths, readGgufParts } from "../../../main/models/gguf-parts.ts"
import { inspectModel } from "../../../main/models/inspect.ts"
import { ggufBytes, ggufNumber, ggufTensor, ggufText, models, refusal, temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()
const parts = [1, 2, 3].map((part) => join(models, `gguf/llama-split-0000${part}-of-00003.gguf`))

test("names and places of parts", () => {
  expect(ggufName("/a/b-00002-of-00003.gguf")).toBe("b")
  expect(ggufName("/a/b.Q4_K_M.GGUF")).toBe("b.Q4_K_M")
  expect(ggufName("/a/b-2-of-3.gguf")).toBe("b-2-of-3")
  expect(ggufPartPaths(parts[1] as string)).toEqual(parts)
  expect(ggufPartPaths("/a/b.gguf")).toEqual(["/a/b.gguf"])
})

test("any part gives the whole model", async () => {
  for (const path of parts) {
    const { files, metadata, tensors, diskBytes } = await readGgufParts(path)
    expect(files).toEqual(parts)
    expect(metadata).toMatchObject({ "general.architecture": "llama", "split.no": 0, "split.count": 3 })
    expect([0, 1, 2].map((file) => tensors.filter(({ data }) => data.file === file).length)).toEqual([8, 8, 5])
    expect(diskBytes).toBe(parts.reduce((sum, part) => sum + readFileSync(part).length, 0))
    expect(await inspectModel(path)).toMatchObject({
      path: parts[0],
      name: "llama-split",
      supported: true,
      layers: 2,
      disk_bytes: diskBytes,
    })
  }
})

test("a file that is not split may be named like a part", async () => {
  const path = join(folder, "whole-00007-of-99999.gguf")
  writeFileSync(path, ggufBytes([ggufText("general.architecture", "x")]))
  expect((await readGgufParts(path)).files).toEqual([path])
})

const split = (no: number, count: number, tensors: number) => [
  ggufNumber("split.no", no),
  ggufNumber("split.count", count),
  ggufNumber("split.tensors.count", tensors),
]
let made = 0

/** Two parts with one tensor each, the second as given. */
function twoParts(second: Buffer | null, first = ggufBytes(split(0, 2, 2), [ggufTensor("a", [8], 0, 0)], 32)): string {
  const place = join(folder, String(made++))
  mkdirSync(place)
  writeFileSync(join(place, "m-00001-of-00002.gguf"), first)
  if (second) writeFileSync(join(place, "m-00002-of-00002.gguf"), second)
  return join(place, "m-00001-of-00002.gguf")
}

test("two parts", async () => {
  const { tensors } = await readGgufParts(twoParts(ggufBytes(split(1, 2, 2), [ggufTensor("b", [4], 0, 0)], 32)))
  expect(tensors.map(({ name, data }) => [name, data.file])).toEqual([
    ["a", 0],
    ["b", 1],
  ])
})

const refused: [name: string, path: () => string, message: RegExp][] = [
  ["a missing part", () => twoParts(null), /m-00002-of-00002\.gguf is missing; m-00001-of-00002\.gguf is a part of the same model/],
  ["a part that is none", () => twoParts(ggufBytes([])), /should be part 2 of 2; it says split\.no undefined of undefined/],
  ["the same part twice", () => twoParts(ggufBytes(split(0, 2, 2))), /should be part 2 of 2; it says split\.no 0 of 2/],
  ["a part of another number", () => twoParts(ggufBytes(split(1, 3, 2))), /should be part 2 of 2; it says split\.no 1 of 3/],
  ["what is no GGUF", () => twoParts(Buffer.from("nothing at all, in so many words")), /m-00002-of-00002\.gguf is no GGUF file/],
  [
    "a tensor in two parts",
    () => twoParts(ggufBytes(split(1, 2, 2), [ggufTensor("a", [8], 0, 0)], 32)),
    /m-00002-of-00002\.gguf holds tensor a, which an earlier part holds too/,
  ],
  ["tensors that are not there", () => twoParts(ggufBytes(split(1, 2, 2))), /says that its parts hold 2 tensors; they hold 1/],
  [
    "a count that its name denies",
    () => twoParts(null, ggufBytes(split(0, 3, 2))),
    /is one of 3 parts of a model, which its name does not tell/,
  ],
]
for (const [name, path, message] of refused) {
  test(`refused: ${name}`, async () => {
    expect(await refusal(() => readGgufParts(path()))).toMatchObject({ code: "bad_file", message: expect.stringMatching(message) })
  })
}

test("a part under another name, or from another model, is refused", async () => {
  const place = join(folder, "renamed")
  mkdirSync(place)
  for (const part of parts) copyFileSync(part, join(place, basename(part)))
  copyFileSync(parts[0] as string, join(place, "mine.gguf"))
  expect((await refusal(() => readGgufParts(join(place, "mine.gguf")))).hint).toMatch(/NAME-00001-of-00003\.gguf/)
  copyFileSync(parts[1] as string, join(place, "llama-split-00003-of-00003.gguf"))
  expect((await refusal(() => readGgufParts(join(place, basename(parts[0] as string))))).message).toMatch(/split\.no 1 of 3/)
  rmSync(join(place, "llama-split-00001-of-00003.gguf"))
  expect((await refusal(() => readGgufParts(join(place, basename(parts[1] as string))))).message).toMatch(/00001-of-00003\.gguf is missing/)
})
