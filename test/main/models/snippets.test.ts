import { describe, expect, test } from "vitest"
import { snippetsOf } from "../../../main/models/snippets.ts"

describe("lines for Python", () => {
  test("name the folder, and the packages that its format needs", () => {
    const { python } = snippetsOf({ path: "/models/Llama NF4", format: "nf4-dq" }, true)
    expect(python).toContain("# pip install transformers accelerate bitsandbytes\n")
    expect(python).toContain('folder = "/models/Llama NF4"\n')
    expect(python).toContain("apply_chat_template")
    expect(snippetsOf({ path: "/m", format: "bf16" }, false).python).not.toMatch(/bitsandbytes|apply_chat_template/)
  })

  test("a GGUF file is named beside its folder", () => {
    const { python, vllm } = snippetsOf({ path: "/models/a/b.gguf", format: "q4_k" }, true)
    expect(python).toContain('folder = "/models/a"\n')
    expect(python).toContain('from_pretrained(folder, gguf_file="b.gguf", device_map="auto"')
    expect(vllm).toContain("vllm serve /models/a/b.gguf --tokenizer")
  })

  test("no path can break out of its quotes", () => {
    const path = `/a"b\\c'd $(x)`
    const { python, vllm } = snippetsOf({ path, format: "nf4" }, false)
    expect(python).toContain(String.raw`folder = "/a\"b\\c'd $(x)"`)
    expect(vllm).toContain(String.raw`vllm serve '/a"b\c'\''d $(x)'`)
  })
})
