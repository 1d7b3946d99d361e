import { execFileSync } from "node:child_process"
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { readFolder } from "../../../main/models/folder.ts"
import { changeJson, configFolder, copyOf, llamaConfig, models, refusal, temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()
const index = "model.safetensors.index.json"
const sharded = () => copyOf("llama-tied-sharded", folder)
const spoil = (path: string, change: (map: Record<string, unknown>) => unknown) =>
  changeJson(join(path, index), (value) => ({ ...value, weight_map: change(value.weight_map as Record<string, unknown>) }))

test("shards are joined", async () => {
  const { files, tensors, generationConfig } = await readFolder(join(models, "llama-tied-sharded"))
  expect(files.map((file) => file.slice(-33))).toEqual([1, 2, 3].map((i) => `/model-0000${i}-of-00003.safetensors`.slice(-33)))
  expect(tensors).toHaveLength(20)
  expect(new Set(tensors?.map(({ data }) => data.file))).toEqual(new Set([0, 1, 2]))
  expect(generationConfig).toMatchObject({ eos_token_id: 2 })
})

test("a folder with only config.json", async () => {
  const { files, tensors, isPickled, diskBytes } = await readFolder(configFolder(folder, llamaConfig))
  expect({ files, tensors, isPickled }).toEqual({ files: [], tensors: null, isPickled: false })
  expect(diskBytes).toBe(JSON.stringify(llamaConfig).length)
})

test("pickles are seen, the leftovers of a training run are not taken for them", async () => {
  const path = configFolder(folder, llamaConfig)
  writeFileSync(join(path, "training_args.bin"), "x")
  expect((await readFolder(path)).isPickled).toBe(false)
  writeFileSync(join(path, "pytorch_model-00001-of-00002.bin"), "x")
  expect((await readFolder(path)).isPickled).toBe(true)
})

test("a missing shard is named", async () => {
  const path = sharded()
  rmSync(join(path, "model-00002-of-00003.safetensors"))
  expect(await refusal(() => readFolder(path))).toMatchObject({
    code: "bad_file",
    message: expect.stringMatching(/model-00002-of-00003\.safetensors is missing; .*index\.json names it/),
  })
})

test("a tensor missing from its shard is named", async () => {
  const path = sharded()
  spoil(path, (map) => ({ ...map, "model.norm.weight": "model-00001-of-00003.safetensors" }))
  expect((await refusal(() => readFolder(path))).message).toMatch(/model-00001-of-00003\.safetensors lacks tensor model\.norm\.weight/)
})

test("shards without their index are named", async () => {
  const path = sharded()
  rmSync(join(path, index))
  expect((await refusal(() => readFolder(path))).message).toMatch(/has 3 shards .* but no model\.safetensors\.index\.json/)
})

for (const name of ["../../x.safetensors", "/etc/passwd", "..\\x.safetensors", "sub/x.safetensors", "x.bin", "", "..", "a\0.safetensors"]) {
  test(`an index must not name ${JSON.stringify(name)}`, async () => {
    const path = sharded()
    spoil(path, (map) => ({ ...map, "model.norm.weight": name }))
    const error = await refusal(() => readFolder(path))
    expect(error).toMatchObject({ code: "bad_file", message: expect.stringContaining("no safetensors file of its folder") })
  })
}

test("an index of something else is refused", async () => {
  for (const map of [null, [], "x", { a: 1 }, { a: { b: "c" } }]) {
    const path = sharded()
    spoil(path, () => map)
    expect(await refusal(() => readFolder(path))).toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(/index\.json.*weight_map/),
    })
  }
})

test("config.json: what is no configuration", async () => {
  for (const text of ["", "[]", "null", "{", '{"hidden_size": NaN}', '{"a": 1, "a": 2}', '{"a":'.repeat(10_000)]) {
    const error = await refusal(() => readFolder(configFolder(folder, text)))
    expect(error).toMatchObject({ code: "bad_file", message: expect.stringContaining("config.json") })
  }
})

test("config.json that is a folder, a loop or not there", async () => {
  const path = join(folder, "odd")
  mkdirSync(join(path, "config.json"), { recursive: true })
  expect((await refusal(() => readFolder(path))).code).toBe("bad_input")
  rmSync(join(path, "config.json"), { recursive: true })
  expect(await refusal(() => readFolder(path))).toMatchObject({ code: "bad_input", message: expect.stringContaining("has no config.json") })
  symlinkSync("config.json", join(path, "config.json"))
  expect(await refusal(() => readFolder(path))).toMatchObject({
    code: "bad_file",
    message: expect.stringContaining("leads back to itself"),
  })
})

test("a pipe is not waited for", async () => {
  const path = join(folder, "pipe")
  mkdirSync(path)
  execFileSync("mkfifo", [join(path, "config.json")])
  expect(await refusal(() => readFolder(path))).toMatchObject({
    code: "bad_input",
    message: expect.stringContaining("is not a regular file"),
  })
})

test("a broken link beside the model does no harm, and links to files are followed", async () => {
  const path = copyOf("llama", folder)
  symlinkSync("nowhere", join(path, "README.md"))
  renameSync(join(path, "model.safetensors"), join(path, "blob"))
  symlinkSync("blob", join(path, "model.safetensors"))
  expect((await readFolder(path)).tensors).toHaveLength(21)
})
