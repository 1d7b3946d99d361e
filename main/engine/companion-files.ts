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

export async function writeCompanions(
  source: QuantizeSource,
  options: z.output<typeof QuantizeOptions>,
  folder: string,
  version: string,
): Promise<void> {
  if (source.kind === "folder") await copyFromFolder(source.path, folder)
  else await writeFromGguf(source, folder)
  const config = source.kind === "folder" ? await readText(join(source.path, "config.json"), maxConfigBytes) : JSON.stringify(source.config)
  await writeFile(join(folder, "config.json"), quantizedConfig(config, source, options))
  await writeFile(join(folder, "README.md"), modelCard(source, options, version))
}

async function copyFromFolder(source: string, folder: string): Promise<void> {
  for (const name of copiedNames) {
    const path = join(source, name)
    const isFile = await stat(path).then(
      (found) => found.isFile(),
      () => false,
    )
    // Not copyFile: it would copy the protection of a file that may not be written too.
    if (isFile) await writeFile(join(folder, name), await readFile(path))
  }
}

async function writeFromGguf({ tokenizer, generationConfig }: QuantizeSource, folder: string): Promise<void> {
  if (generationConfig) await writeFile(join(folder, "generation_config.json"), pythonJson(generationConfig))
  if (!tokenizer) return
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer.json))
  const { chat_template: _, ...config } = tokenizer.config
  await writeFile(join(folder, "tokenizer_config.json"), pythonJson(config))
  if (tokenizer.chatTemplate !== null) await writeFile(join(folder, "chat_template.jinja"), tokenizer.chatTemplate)
}
