// README.md of a quantized model: what it was made from, how, and under which licence it stands.
import type { z } from "zod"
import type { QuantizeOptions } from "../../shared/contract/engine.ts"
import type { QuantizeSource } from "../models/quantize-source.ts"
import { transformersObstacle } from "./readers.ts"

type Options = z.output<typeof QuantizeOptions>

const formatTexts: Record<Options["format"], string> = {
  int8: "8-bit integers (LLM.int8())",
  nf4: "4-bit NormalFloat (NF4)",
  "nf4-dq": "4-bit NormalFloat (NF4) with double quantization",
  fp4: "4-bit floating point (FP4)",
  "fp4-dq": "4-bit floating point (FP4) with double quantization",
}

export function modelCard(source: QuantizeSource, options: Options, version: string): string {
  const { license } = source
  const block = options.format === "int8" ? "one scale per row" : `blocks of ${options.blockSize}`
  // JSON strings are YAML strings too, so no name can break out of the head.
  const head = [
    ...(license ? [`license: ${JSON.stringify(license)}`] : []),
    ...(/^[\w.-]+\/[\w.-]+$/.test(source.name) ? [`base_model: ${JSON.stringify(source.name)}`] : []),
    "library_name: transformers",
    `tags: ${JSON.stringify(["bitsandbytes", options.format, "quantized"])}`,
  ]
  const name = oneLine(source.name)
  return [
    "---",
    ...head,
    "---",
    "",
    `# ${name}, ${options.format}`,
    "",
    `The linear layers of **${name}** (${oneLine(source.architecture)}) as ${formatTexts[options.format]}, ${block}, in the format of bitsandbytes. ${restOf(source, options)}`,
    "",
    `- Base model: ${name}`,
    `- License: ${license ? oneLine(license) : "not stated by the base model; its terms apply"}`,
    `- Made with: Nibble ${version}`,
    ...(options.skipModules
      ? [`- Left as they were: ${options.skipModules.map((module) => `\`${oneLine(module)}\``).join(", ") || "none"}`]
      : []),
    ...(options.note ? ["", oneLine(options.note)] : []),
    "",
    ...loadingText(source, options),
    "",
  ].join("\n")
}

function restOf({ dtype }: QuantizeSource, { embeddings, experts }: Options): string {
  const expertsText = experts ? ` Its experts are ${formatTexts[experts]}.` : ""
  if (!embeddings) return `Embeddings, norms and output head are ${dtype}.${expertsText}`
  return `Embedding and output head are ${formatTexts[embeddings]}, norms ${dtype}.${expertsText}`
}

function loadingText(source: QuantizeSource, options: Options): string[] {
  const obstacle = transformersObstacle(source, options)
  if (obstacle)
    return [`It loads in Nibble${source.reason === null ? "" : " once that can run this architecture"}, not in transformers: ${obstacle}.`]
  const { architecture } = source
  const modelClass = /^[A-Za-z]\w*$/.test(architecture) && !architecture.endsWith("ForCausalLM") ? architecture : "AutoModelForCausalLM"
  return [
    source.reason === null ? "It loads in Nibble, and in transformers with bitsandbytes:" : "It loads in transformers with bitsandbytes:",
    "",
    "```python",
    `from transformers import ${modelClass}`,
    "",
    `model = ${modelClass}.from_pretrained("path/of/this/folder")`,
    "```",
  ]
}

/** Text of strangers as a part of a line of Markdown. */
function oneLine(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[<>[\]`]/g, "\\$&")
    .trim()
}
