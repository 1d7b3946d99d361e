import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { readTokenizer } from "../../../main/models/folder-tokenizer.ts"
import { changeJson, copyOf, models, refusal, temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()

test("a template in tokenizer_config.json, and one in a file of its own", async () => {
  expect((await readTokenizer(join(models, "llama")))?.chatTemplate).toMatch(/^\{% for message in messages %\}/)
  const { chatTemplate, config, json } = (await readTokenizer(join(models, "llama-rope-llama3"))) ?? {}
  expect(chatTemplate).toMatch(/^\{\{-? bos_token/)
  expect(config).toMatchObject({ eos_token: "<|eot_id|>" })
  expect(json).toMatchObject({ model: { type: "BPE" } })
})

test("no tokenizer is no error", async () => {
  expect(await readTokenizer(join(models, "llama-nf4"))).toBeNull()
})

test("where templates are looked for, in order", async () => {
  const path = copyOf("llama", folder)
  const config = (template: unknown) => changeJson(join(path, "tokenizer_config.json"), (value) => ({ ...value, chat_template: template }))
  const found = async () => (await readTokenizer(path))?.chatTemplate
  config([
    { name: "tool_use", template: "tools" },
    { name: "default", template: "plain" },
  ])
  expect(await found()).toBe("plain")
  config([{ name: "rag", template: "rag" }, 7, null, { name: "default" }])
  expect(await found()).toBeNull()
  config({ default: "x" })
  expect(await found()).toBeNull()
  writeFileSync(join(path, "chat_template.json"), '{"chat_template": "processor"}')
  expect(await found()).toBe("processor")
  writeFileSync(join(path, "chat_template.jinja"), "own")
  expect(await found()).toBe("own")
})

test("damaged tokenizer files are named", async () => {
  for (const [name, text, message] of [
    ["tokenizer.json", "{", /tokenizer\.json is not valid JSON/],
    ["tokenizer.json", "[]", /tokenizer\.json is not a JSON object/],
    ["tokenizer.json", '{"model": "x"}', /tokenizer\.json is no tokenizer/],
    ["tokenizer.json", '{"model":'.repeat(1000), /nested deeper/],
    ["tokenizer_config.json", "7", /tokenizer_config\.json is not a JSON object/],
    ["chat_template.jinja", "x".repeat(2 ** 20 + 1), /chat_template\.jinja has 1048577 bytes/],
  ] as const) {
    const path = copyOf("llama", folder)
    writeFileSync(join(path, name), text)
    expect(await refusal(() => readTokenizer(path))).toMatchObject({ code: "bad_file", message: expect.stringMatching(message) })
  }
})

test("tokenizer_config.json may be missing", async () => {
  const path = copyOf("llama", folder)
  rmSync(join(path, "tokenizer_config.json"))
  expect(await readTokenizer(path)).toMatchObject({ config: {}, chatTemplate: null })
})
