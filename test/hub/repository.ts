// A repository of the test hub: files, and what the hub says about them.
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

export interface HubRepository {
  /** "org/name" */
  name: string
  files: Map<string, Buffer>
  access: "open" | "gated" | "private"
  license: string | null
  downloads: number
  likes: number
  /** ISO 8601 */
  updatedAt: string
  /** Commit: changes with the files. */
  revision: string
}

export type RepositoryWish = Partial<Omit<HubRepository, "files" | "revision">> & { name: string } & (
    | { folder: string }
    | { files: Record<string, Buffer | string> }
  )

export function makeRepository(wish: RepositoryWish): HubRepository {
  const files = "folder" in wish ? filesOf(wish.folder) : Object.entries(wish.files)
  const contents = new Map(files.map(([name, content]) => [name, Buffer.from(content)]))
  const { name, access = "open", license = "apache-2.0", downloads = 100, likes = 10, updatedAt = "2026-03-01T12:00:00.000Z" } = wish
  return { name, files: contents, access, license, downloads, likes, updatedAt, revision: revisionOf(contents) }
}

function filesOf(folder: string): [string, Buffer][] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => [name, readFileSync(join(folder, name))])
}

function revisionOf(files: Map<string, Buffer>): string {
  const hash = createHash("sha1")
  for (const [name, content] of files) hash.update(name).update(content)
  return hash.digest("hex")
}

/** Large files are kept apart, under their SHA-256; the repository holds a pointer. */
export function isLarge(name: string): boolean {
  return /\.(safetensors|gguf|bin|model)$/.test(name) || name === "tokenizer.json"
}

export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex")
}

/** The id that git gives a file. */
export function gitHash(content: Buffer): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex")
}

/** An entry of /api/models/…/tree. */
export function treeEntry(path: string, content: Buffer) {
  const size = content.length
  if (!isLarge(path)) return { type: "file", path, size, oid: gitHash(content) }
  const oid = sha256(content)
  return { type: "file", path, size, oid: gitHash(Buffer.from(oid)), lfs: { oid, size, pointerSize: 134 } }
}

/** What /api/models and /api/models/NAME say, with every field that may be asked for by "expand". */
export function modelInfo({ name, files, access, license, downloads, likes, updatedAt, revision }: HubRepository) {
  const config = jsonOf(files.get("config.json"))
  const parameters = parametersByDtype(files)
  const hasGguf = [...files.keys()].some((file) => file.endsWith(".gguf"))
  return {
    _id: gitHash(Buffer.from(name)).slice(0, 24),
    id: name,
    modelId: name,
    author: name.split("/")[0],
    sha: revision,
    private: access === "private",
    gated: access === "gated" ? "manual" : false,
    disabled: false,
    downloads,
    likes,
    lastModified: updatedAt,
    createdAt: updatedAt,
    pipeline_tag: "text-generation",
    library_name: "transformers",
    tags: [
      "transformers",
      ...(parameters ? ["safetensors"] : []),
      ...(hasGguf ? ["gguf"] : []),
      ...(license ? [`license:${license}`] : []),
    ],
    cardData: license ? { license } : {},
    siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
    ...(config ? { config: { architectures: config.architectures, model_type: config.model_type } } : {}),
    ...(parameters ? { safetensors: { parameters, total: Object.values(parameters).reduce((sum, n) => sum + n, 0) } } : {}),
    trendingScore: likes,
  }
}

function jsonOf(content: Buffer | undefined): Record<string, unknown> | null {
  try {
    return content ? JSON.parse(content.toString()) : null
  } catch {
    return null
  }
}

/** As the hub counts them, from the headers of the files. null: there are none that can be read. */
function parametersByDtype(files: Map<string, Buffer>): Record<string, number> | null {
  const counts: Record<string, number> = {}
  for (const [name, content] of files) {
    if (!name.endsWith(".safetensors") || content.length < 8) continue
    const header = jsonOf(content.subarray(8, 8 + Number(content.readBigUInt64LE())))
    for (const [tensor, entry] of Object.entries(header ?? {})) {
      if (tensor === "__metadata__") continue
      const { dtype, shape } = entry as { dtype: string; shape: number[] }
      counts[dtype] = (counts[dtype] ?? 0) + shape.reduce((product, size) => product * size, 1)
    }
  }
  return Object.keys(counts).length > 0 ? counts : null
}
