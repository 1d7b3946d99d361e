// .nibble-download.json of a folder that is filled by downloads: what belongs into it, and what of that is verified.
import { mkdir, readFile, rm, stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { writeFileAtomic } from "../storage/atomic-file.ts"
import { requireFileNames } from "./download-name.ts"
import { removePart } from "./part.ts"

export const manifestName = ".nibble-download.json"

const ManifestFile = z.object({
  name: z.string(),
  bytes: z.number(),
  digest: z.object({ algorithm: z.enum(["sha256", "git-sha1"]), hex: z.string() }),
  /** "cached": verified at `cachedPath`. "used": it was here, was made into something else, and is not needed again. */
  state: z.enum(["missing", "verified", "cached", "used"]),
  /** When the verified file was last written to, in milliseconds since 1970: another time means another check. */
  modified_ms: z.number().optional(),
  cachedPath: z.string().optional(),
})
export type ManifestFile = z.infer<typeof ManifestFile>

const Manifest = z.object({ version: z.literal(1), repository: z.string(), revision: z.string(), files: z.array(ManifestFile) })
export type Manifest = z.infer<typeof Manifest>

/** null: there is none, or none that can be read; then everything is looked at anew. */
export async function readManifest(folder: string): Promise<Manifest | null> {
  try {
    const manifest = Manifest.parse(JSON.parse(await readFile(join(folder, manifestName), "utf8")))
    requireFileNames(manifest.files.map(({ name }) => name))
    return manifest
  } catch {
    return null
  }
}

/** Changes of one folder, one after the other. */
const turns = new Map<string, Promise<unknown>>()

export function changeManifest(folder: string, change: (manifest: Manifest | null) => Manifest): Promise<Manifest> {
  const key = resolve(folder)
  const turn = (turns.get(key) ?? Promise.resolve())
    .catch(() => {})
    .then(async () => {
      const changed = change(await readManifest(folder))
      await writeFileAtomic(join(folder, manifestName), `${JSON.stringify(changed, null, 2)}\n`)
      return changed
    })
  turns.set(key, turn)
  const forget = () => {
    if (turns.get(key) === turn) turns.delete(key)
  }
  turn.then(forget, forget)
  return turn
}

/** Changes the entries of some files. */
export function changeFiles(folder: string, change: (file: ManifestFile) => ManifestFile): Promise<Manifest> {
  return changeManifest(folder, (manifest) => {
    if (!manifest) throw new AppError("not_found", `There is no download in ${folder}.`)
    return { ...manifest, files: manifest.files.map(change) }
  })
}

/**
 * Makes the manifest name these files, too, as missing where it does not know them. One of another repository or revision is replaced, and
 * what it names and the new one does not is deleted.
 */
export async function beginManifest(folder: string, wanted: Omit<Manifest, "version">): Promise<Manifest> {
  await mkdir(folder, { recursive: true })
  const replaced: string[] = []
  const begun = await changeManifest(folder, (old) => {
    const isSame = old?.repository === wanted.repository && old.revision === wanted.revision
    const known = new Map(old?.files.map((file) => [file.name, file]))
    const files = wanted.files.map((file) => {
      const before = known.get(file.name)
      known.delete(file.name)
      return before && isSameContent(before, file) ? before : file
    })
    if (!isSame) replaced.push(...known.keys())
    return { version: 1, ...wanted, files: isSame ? [...files, ...known.values()] : files }
  })
  for (const name of replaced) await removeFile(folder, name)
  return begun
}

function isSameContent(one: ManifestFile, other: ManifestFile): boolean {
  return one.bytes === other.bytes && one.digest.algorithm === other.digest.algorithm && one.digest.hex === other.digest.hex
}

/** Also what has arrived of it. */
export async function removeFile(folder: string, name: string): Promise<void> {
  await rm(join(folder, name), { force: true })
  await removePart(join(folder, name))
}

/** Whether what the manifest says was verified still lies there as it was. */
export async function isUnchanged(folder: string, file: ManifestFile): Promise<boolean> {
  if (file.state !== "verified" && file.state !== "cached") return false
  const found = await stat(file.state === "cached" ? (file.cachedPath ?? "") : join(folder, file.name)).catch(() => null)
  return found?.isFile() === true && found.size === file.bytes && found.mtimeMs === file.modified_ms
}

/**
 * For a file that was made into something else: the manifest says so first, then the file is deleted (one in a cache is left there). Later
 * sets in this folder neither fetch nor miss it. Call it when what was made is safe on the disk.
 */
export async function useUp(folder: string, name: string): Promise<void> {
  requireFileNames([name])
  await changeFiles(folder, (file) => (file.name === name ? { ...file, state: "used" } : file))
  await removeFile(folder, name)
}

/** The opposite, where what was made of them is lost: the next set fetches them again. Default: all that were used. */
export async function fetchAgain(folder: string, names?: string[]): Promise<void> {
  const isMeant = (file: ManifestFile) => file.state === "used" && (names?.includes(file.name) ?? true)
  await changeFiles(folder, (file) => (isMeant(file) ? { ...file, state: "missing" } : file))
}

/**
 * Whether the folder can be used: every file of its manifest is verified and unchanged here, or in a cache. False where there is no
 * manifest, and after useUp().
 */
export async function isComplete(folder: string): Promise<boolean> {
  const manifest = await readManifest(folder)
  if (!manifest) return false
  return (await Promise.all(manifest.files.map((file) => isUnchanged(folder, file)))).every(Boolean)
}
