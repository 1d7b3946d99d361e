// Where the files of a repository come from.
import type { HubModel } from "../../shared/schema/hub.ts"
import type { SetFile } from "../hub/download-set.ts"
import type { Hub } from "../hub/hub.ts"

export function hubSources(
  { endpoint, token }: Hub,
  { name, revision }: { name: string; revision: string },
  files: HubModel["files"],
): { files: SetFile[]; authorization: string | null } {
  return {
    files: files.map((file) => ({
      ...{ name: file.name, bytes: file.bytes, digest: { algorithm: file.algorithm, hex: file.digest } },
      address: `${endpoint}/${name}/resolve/${revision}/${encodeURIComponent(file.name)}`,
    })),
    authorization: token === null ? null : `Bearer ${token}`,
  }
}
