// A model in one GGUF file, or split into several (NAME-00001-of-00003.gguf, as llama.cpp's gguf-split writes them): the first part
// holds the metadata, each its own tensors. Any of the parts stands for the whole model.
import { basename, dirname, join } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint } from "./bounded-file.ts"
import { type GgufFile, type GgufValue, maxTensors, readGguf } from "./gguf.ts"
import type { FileTensor } from "./tensors.ts"

export interface GgufParts {
  /** In their order; one path for a model that is not split. */
  files: string[]
  metadata: Record<string, GgufValue>
  /** Of all parts; `data.file` is an index into `files`. */
  tensors: FileTensor[]
  diskBytes: number
}

const partName = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/i

/** The name of a model from that of its file: without its ending, and without the number of its part. */
export function ggufName(path: string): string {
  return partName.exec(basename(path))?.[1] ?? basename(path).replace(/\.gguf$/i, "")
}

/** The paths of all parts, as the name of one of them tells; just the path itself where it tells nothing. */
export function ggufPartPaths(path: string): string[] {
  const [name, stem, , last] = partName.exec(basename(path)) ?? []
  if (name === undefined || stem === undefined || last === undefined) return [path]
  const ending = name.slice(-".gguf".length)
  const digits = (part: number) => String(part).padStart(last.length, "0")
  return Array.from({ length: Number(last) }, (_, i) => join(dirname(path), `${stem}-${digits(i + 1)}-of-${last}${ending}`))
}

/** Throws bad_file when a part is missing, is none of this model, or the tensors are not as many as the parts say. */
export async function readGgufParts(path: string): Promise<GgufParts> {
  const given = await readGguf(path)
  const count = given.metadata["split.count"]
  if (typeof count !== "number" || count <= 1) return { ...given, files: [path], diskBytes: given.bytes }
  const files = ggufPartPaths(path)
  const own = files.findIndex((file) => basename(file) === basename(path))
  if (files.length !== count || own < 0) {
    throw new AppError(
      "bad_file",
      `${path} is one of ${count} parts of a model, which its name does not tell.`,
      `Give all parts the names that they had: NAME-00001-of-${String(count).padStart(5, "0")}.gguf and so on.`,
    )
  }
  const parts: GgufParts = { files, metadata: {}, tensors: [], diskBytes: 0 }
  for (const [i, file] of files.entries()) {
    const part = i === own ? given : await readPart(file, path)
    checkNumber(part, file, i, count)
    if (i === 0) parts.metadata = part.metadata
    for (const tensor of part.tensors) parts.tensors.push({ ...tensor, data: { ...tensor.data, file: i } })
    parts.diskBytes += part.bytes
    if (parts.tensors.length > maxTensors)
      throw new AppError("bad_file", `${files[0]} and its parts hold more than ${maxTensors} tensors.`, damagedHint)
  }
  checkTensors(parts)
  return parts
}

async function readPart(file: string, given: string): Promise<GgufFile> {
  try {
    return await readGguf(file)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "not_found") throw thrown
    throw new AppError(
      "bad_file",
      `${file} is missing; ${basename(given)} is a part of the same model.`,
      "Download or copy the missing file.",
      {
        cause: thrown,
      },
    )
  }
}

function checkNumber({ metadata }: GgufFile, file: string, index: number, count: number): void {
  const { "split.no": no, "split.count": ownCount } = metadata
  if (no === index && ownCount === count) return
  throw new AppError(
    "bad_file",
    `${file} should be part ${index + 1} of ${count}; it says split.no ${String(no).slice(0, 40)} of ${String(ownCount).slice(0, 40)}.`,
    damagedHint,
  )
}

function checkTensors({ files, metadata, tensors }: GgufParts): void {
  const names = new Set<string>()
  for (const { name, data } of tensors) {
    if (names.has(name))
      throw new AppError("bad_file", `${files[data.file]} holds tensor ${name}, which an earlier part holds too.`, damagedHint)
    names.add(name)
  }
  const { "split.tensors.count": expected } = metadata
  if (expected !== undefined && expected !== tensors.length)
    throw new AppError("bad_file", `${files[0]} says that its parts hold ${expected} tensors; they hold ${tensors.length}.`, damagedHint)
}
