// Files that the Python libraries of the hub downloaded before: read where they lie. The cache has a folder per repository with
// refs/<branch> → commit, snapshots/<commit>/<file> → blob, and blobs/<hash>, each named by its SHA-256 or git hash.
import { realpath, stat } from "node:fs/promises"
import { basename, join } from "node:path"
import type { HubFile } from "./hub.ts"

/**
 * The file in the cache at `cache`, or null: of this commit, of the right size, and kept under the hash that the hub names. Its content is
 * hashed before it is used, like everything else.
 */
export async function cachedFile(
  cache: string,
  { name, revision }: { name: string; revision: string },
  file: HubFile,
): Promise<string | null> {
  const repository = join(cache, `models--${name.replace("/", "--")}`)
  // By its hash first: the same file may belong to another commit.
  for (const path of [join(repository, "blobs", file.digest.hex), join(repository, "snapshots", revision, file.name)]) {
    const real = await realpath(path).catch(() => null)
    if (real === null || basename(real) !== file.digest.hex) continue
    const about = await stat(real).catch(() => null)
    if (about?.isFile() && about.size === file.bytes) return real
  }
  return null
}
