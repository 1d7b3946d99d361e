// README.md of a quantized model: what it was made from, how, and under which licence it stands.
import type { z } from "zod"
import type { QuantizeOptions } from "../../shared/contract/engine.ts"
import type { OpenedModel } from "../models/opened-model.ts"

const formatTexts: Record<z.output<typeof QuantizeOptions>["format"], string> = {
  int8: "8-bit integers (LLM.int8())",
  nf4: "4-bit NormalFloat (NF4)",
  "nf4-dq": "4-bit NormalFloat (NF4) with double quantization",
  fp4: "4-bit floating point (FP4)",
  "fp4-dq": "4-bit floating point (FP4) with double quantization",
}

export function modelCard(opened: OpenedModel, options: z.output<typeof QuantizeOptions>, version: string): string {
  const license = opened.inspection.license
  const block = options.format === "int8" ? "one scale per row" : `blocks of ${options.blockSize}`
  // JSON strings are YAML strings too, so no name can break out of the head.
  const head = [
    ...(license ? [`license: ${JSON.stringify(license)}`] : []),
    ...(/^[\w.-]+\/[\w.-]+$/.test(opened.name) ? [`base_model: ${JSON.stringify(opened.name)}`] : []),
    "library_name: transformers",
    `tags: ${JSON.stringify(["bitsandbytes", options.format, "quantized"])}`,
  ]
  const name = oneLine(opened.name)
  return [
    "---",
    ...head,
    "---",
    "",
    `# ${name}, ${options.format}`,
    "",
    `The linear layers of **${name}** (${oneLine(opened.architecture)}) as ${formatTexts[options.format]}, ${block}, in the format of bitsandbytes. Embeddings, norms and output head are ${opened.dtype}.`,
    "",
    `- Base model: ${name}`,
    `- License: ${license ? oneLine(license) : "not stated by the base model; its terms apply"}`,
    `- Made with: Nibble ${version}`,
    ...(options.skipModules
      ? [`- Left as they were: ${options.skipModules.map((module) => `\`${oneLine(module)}\``).join(", ") || "none"}`]
      : []),
    ...(options.note ? ["", oneLine(options.note)] : []),
    "",
    "It loads in Nibble, and in transformers with bitsandbytes:",
    "",
    "```python",
    "from transformers import AutoModelForCausalLM",
    "",
    'model = AutoModelForCausalLM.from_pretrained("path/of/this/folder")',
    "```",
    "",
  ].join("\n")
}

/** Text of strangers as a part of a line of Markdown. */
function oneLine(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[<>[\]`]/g, "\\$&")
    .trim()
}
