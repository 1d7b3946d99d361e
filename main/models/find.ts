// What a path could be, for a file picker: cheap, and no error whatever is there.
import { stat } from "node:fs/promises"
import { withFile } from "./bounded-file.ts"
import { configPath } from "./folder.ts"
import { ggufMagic } from "./gguf.ts"

export async function classify(path: string): Promise<"model-folder" | "gguf" | "folder" | null> {
  try {
    const about = await stat(path)
    if (about.isDirectory()) return (await hasConfig(path)) ? "model-folder" : "folder"
    if (!/\.gguf$/i.test(path) || !about.isFile()) return null
    return (await hasGgufMagic(path)) ? "gguf" : null
  } catch {
    return null
  }
}

export function hasGgufMagic(path: string): Promise<boolean> {
  return withFile(
    path,
    async (file) => file.size >= ggufMagic.length && (await file.read(0, ggufMagic.length)).toString("latin1") === ggufMagic,
  )
}

async function hasConfig(folder: string): Promise<boolean> {
  const about = await stat(configPath(folder)).catch(() => null)
  return about?.isFile() ?? false
}
