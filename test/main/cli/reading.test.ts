// Commands that read models without the engine: they work where it does not, and leave nothing behind.
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { models, nibble, scratch } from "./run-cli.ts"

/** An engine that is not there: whoever starts it fails. */
const env = { NIBBLE_ENGINE: "/nowhere/engine.node", NIBBLE_HOME: join(scratch, "untouched") }

describe("nibble", () => {
  it("tells its commands, also without one, and its version", async () => {
    const [bare, help, version] = await Promise.all([nibble([], { env }), nibble(["--help"], { env }), nibble(["--version"], { env })])
    expect([bare.code, help.code, version.code]).toEqual([0, 0, 0])
    expect(help.out).toMatch(/Usage: nibble COMMAND/)
    expect(bare.out).toBe(help.out)
    expect(version.out).toMatch(/^nibble \d+\.\d+\.\d+\n$/)
  })

  it("helps with a command although words are missing", async () => {
    const { code, out, error } = await nibble(["quantize", "--help"], { env })
    expect([code, error]).toEqual([0, ""])
    expect(out).toContain("Usage: nibble quantize MODEL --out DIR --format FORMAT [options]")
  })

  it("says what was wrong with the words, and that alone", async () => {
    const { code, out, error } = await nibble(["genrate", "x"], { env })
    expect([code, out, error]).toEqual([2, "", 'There is no command "genrate".\nDid you mean generate?\n'])
  })

  it("tells wrong usage as JSON too", async () => {
    const run = await nibble(["inspect", "--json"], { env })
    expect(run.code).toBe(2)
    expect(run.json()).toEqual({ error: { code: "bad_input", message: "MODEL is missing.", hint: "See: nibble inspect --help" } })
    expect(run.error).toBe("")
  })
})

describe("inspect", () => {
  it("tells the fields of the contract, for a folder and a GGUF file", async () => {
    const [folder, file] = await Promise.all([
      nibble(["inspect", join(models, "llama"), "--json"], { env }),
      nibble(["inspect", join(models, "gguf/llama-bpe-bf16.gguf"), "--json", "--tensors"], { env }),
    ])
    expect([folder.code, folder.error, file.code, file.error]).toEqual([0, "", 0, ""])
    expect(folder.json()).toMatchObject({
      architecture: "LlamaForCausalLM",
      supported: true,
      reason: null,
      parameters: 115_008,
      quantizable_parameters: 73_728,
      layers: 2,
      tokenizer: "BPE",
      chat_template: true,
      context_length: 256,
    })
    expect(folder.json()).not.toHaveProperty("tensors")
    const { tensors } = file.json<{ tensors: Record<string, unknown>[] }>()
    expect(Object.keys(tensors[0] ?? {}).sort()).toEqual(["bytes", "dtype", "format", "name", "shape"])
  })

  it("works on a folder that holds only config.json", async () => {
    const folder = join(scratch, "config-only")
    mkdirSync(folder)
    copyFileSync(join(models, "qwen2/config.json"), join(folder, "config.json"))
    const run = await nibble(["inspect", folder, "--json"], { env })
    expect(run.json()).toMatchObject({ architecture: "Qwen2ForCausalLM", supported: true, tokenizer: null })
  })

  it("shows a model for people", async () => {
    const { out } = await nibble(["inspect", join(models, "llama-nf4"), "--tensors"], { env })
    expect(out).toMatch(/^format +nf4$/m)
    expect(out).toMatch(/^model\.layers\.0\.mlp\.down_proj\.weight +\d+ x \d+ +U8 +nf4 /m)
  })

  it("fails with a code and what to do, without a stack trace; --verbose shows one", async () => {
    const bad = join(scratch, "bad.gguf")
    writeFileSync(bad, "GGUFxx")
    const [missing, damaged, verbose] = await Promise.all([
      nibble(["inspect", "nowhere", "--json"], { env }),
      nibble(["inspect", bad], { env }),
      nibble(["inspect", bad, "--verbose"], { env }),
    ])
    expect(missing.code).toBe(1)
    expect(missing.json()).toMatchObject({ error: { code: "not_found", hint: expect.stringContaining("nibble models list") } })
    expect(damaged.code).toBe(1)
    expect(damaged.out).toBe("")
    expect(damaged.error).toContain("bad.gguf")
    expect(damaged.error).not.toContain("    at ")
    expect(verbose.error).toMatch(/^bad_file: .*\n {4}at /m)
  })
})

describe("tokenize", () => {
  it("goes from text to ids and back, from an argument and from a file", async () => {
    const text = "Hello <|im_end|>\nthere"
    const file = join(scratch, "text.txt")
    writeFileSync(file, text)
    const model = join(models, "llama")
    const there = await nibble(["tokenize", model, "--text", text, "--json"], { env })
    const { ids, tokens } = there.json<{ ids: number[]; tokens: string[] }>()
    expect(tokens).toContain("<|im_end|>")
    expect(ids).toHaveLength(tokens.length)
    const [fromFile, back] = await Promise.all([
      nibble(["tokenize", model, "--text-file", file, "--json"], { env }),
      nibble(["tokenize", model, "--decode", ids.join(",")], { env }),
    ])
    expect(fromFile.json()).toMatchObject({ ids, text })
    expect(back.out).toBe(`${text}\n`)
  })

  it("refuses a model without a tokenizer and ids that it does not have", async () => {
    const [none, unknown] = await Promise.all([
      nibble(["tokenize", join(models, "llama-nf4"), "--text", "x", "--json"], { env }),
      nibble(["tokenize", join(models, "llama"), "--decode", "1,999999", "--json"], { env }),
    ])
    expect([none.code, none.json()]).toMatchObject([1, { error: { code: "unsupported" } }])
    expect([unknown.code, unknown.json()]).toMatchObject([1, { error: { code: "bad_input", message: expect.stringContaining("999999") } }])
  })
})

it("none of these made a data folder", () => {
  expect(existsSync(env.NIBBLE_HOME)).toBe(false)
})
