// The files beside the weights of a quantized model: configuration, tokenizer, card.
import { readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { z } from "zod"
import type { QuantizeOptions } from "../../shared/contract/engine.ts"
import { readText } from "../models/bounded-file.ts"
import type { QuantizeSource } from "../models/quantize-source.ts"
import { modelCard } from "./model-card.ts"
import { pythonJson, quantizedConfig } from "./quantized-config.ts"

/** Copied from a model folder where they are; nothing that can hold code. */
const copiedNames = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
  "chat_template.json",
  "vocab.txt",
  "spiece.model",
  "sentencepiece.bpe.model",
  "source.spm",
  "target.spm",
  "preprocessor_config.json",
  "processor_config.json",
  "video_preprocessor_config.json",
  "LICENSE",
  "LICENSE.txt",
  "NOTICE",
]

const maxConfigBytes = 16 << 20

type Options = z.output<typeof QuantizeOptions>

export async function writeCompanions(source: QuantizeSource, options: Options, folder: string, version: string): Promise<void> {
  // Not copyFile: it would copy the protection of a file that may not be written too.
  for (const { name } of await copied(source)) await writeFile(join(folder, name), await readFile(join(source.path, name)))
  for (const [name, text] of await written(source, options, version)) await writeFile(join(folder, name), text)
}

/** How many bytes writeCompanions would write. */
export async function companionBytes(source: QuantizeSource, options: Options, version: string): Promise<number> {
  const sizes = [
    ...(await copied(source)).map(({ bytes }) => bytes),
    ...(await written(source, options, version)).map(([, text]) => Buffer.byteLength(text)),
  ]
  return sizes.reduce((sum, bytes) => sum + bytes, 0)
}

async function copied({ kind, path }: QuantizeSource): Promise<{ name: string; bytes: number }[]> {
  if (kind !== "folder") return []
  const found = await Promise.all(copiedNames.map(async (name) => ({ name, about: await stat(join(path, name)).catch(() => null) })))
  return found.flatMap(({ name, about }) => (about?.isFile() ? [{ name, bytes: about.size }] : []))
}

async function written(source: QuantizeSource, options: Options, version: string): Promise<[name: string, text: string][]> {
  const config = await configText(source)
  return [
    ...fromGguf(source),
    ["config.json", quantizedConfig(config, source, options)],
    ["README.md", modelCard(source, options, version)],
  ]
}

/** config.json of the source as it is written there, or as a GGUF file would have it. */
export async function configText({ kind, path, config }: Pick<QuantizeSource, "kind" | "path" | "config">): Promise<string> {
  return kind === "folder" ? readText(join(path, "config.json"), maxConfigBytes) : JSON.stringify(config)
}

function fromGguf({ kind, tokenizer, generationConfig }: QuantizeSource): [name: string, text: string][] {
  if (kind !== "gguf") return []
  const generation: [string, string][] = generationConfig ? [["generation_config.json", pythonJson(generationConfig)]] : []
  if (!tokenizer) return generation
  const { chat_template: _, ...config } = tokenizer.config
  return [
    ...generation,
    ["tokenizer.json", JSON.stringify(tokenizer.json)],
    ["tokenizer_config.json", pythonJson(config)],
    ...(tokenizer.chatTemplate === null ? [] : ([["chat_template.jinja", tokenizer.chatTemplate]] as [string, string][])),
  ]
}
