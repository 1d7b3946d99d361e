// Lines to go on with a model elsewhere: in Python with transformers, and as a server with vLLM.
import { basename, dirname } from "node:path"
import type { InstalledModel } from "../../shared/schema/model.ts"

export interface Snippets {
  /** Loads the model and answers once. */
  python: string
  /** Serves it on port 8000 with the interface of OpenAI. */
  vllm: string
}

export function snippetsOf({ path, format }: Pick<InstalledModel, "path" | "format">, hasChatTemplate: boolean): Snippets {
  const isGguf = /\.gguf$/i.test(path)
  return { python: python(path, { isGguf, isQuantized: isBitsandbytes(format), hasChatTemplate }), vllm: vllm(path, isGguf) }
}

function isBitsandbytes(format: string): boolean {
  return /^(int8|nf4|fp4)(-dq)?$/.test(format)
}

interface Traits {
  isGguf: boolean
  isQuantized: boolean
  hasChatTemplate: boolean
}

function python(path: string, { isGguf, isQuantized, hasChatTemplate }: Traits): string {
  const folder = isGguf ? dirname(path) : path
  const gguf = isGguf ? `, gguf_file=${quoted(basename(path))}` : ""
  const packages = ["transformers", "accelerate", ...(isQuantized ? ["bitsandbytes"] : []), ...(isGguf ? ["gguf"] : [])]
  const input = hasChatTemplate
    ? [
        'messages = [{"role": "user", "content": "What is the capital of France?"}]',
        'inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)',
      ]
    : ['inputs = tokenizer("The capital of France is", return_tensors="pt")']
  return lines(
    `# pip install ${packages.join(" ")}`,
    "from transformers import AutoModelForCausalLM, AutoTokenizer",
    "",
    `folder = ${quoted(folder)}`,
    `tokenizer = AutoTokenizer.from_pretrained(folder${gguf})`,
    `model = AutoModelForCausalLM.from_pretrained(folder${gguf}, device_map="auto", dtype="auto")`,
    ...input,
    "output = model.generate(**inputs.to(model.device), max_new_tokens=64)",
    "print(tokenizer.decode(output[0], skip_special_tokens=True))",
  )
}

function vllm(path: string, isGguf: boolean): string {
  return lines("# pip install vllm", `vllm serve ${shellQuoted(path)}${isGguf ? " --tokenizer <the model's 16-bit repository>" : ""}`)
}

function lines(...parts: string[]): string {
  return `${parts.join("\n")}\n`
}

/** As a literal of Python; JSON's escapes are Python's too, except for halves of characters, which no path has. */
function quoted(text: string): string {
  return JSON.stringify(text)
}

/** For a POSIX shell. */
function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
