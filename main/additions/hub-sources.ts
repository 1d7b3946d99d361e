// Where the files of a repository come from.
import type { HubModel } from "../../shared/schema/hub.ts"
import { cachedFile } from "../hub/cache.ts"
import type { SetFile } from "../hub/download-set.ts"
import type { Hub } from "../hub/hub.ts"

/** `cache`: the Hugging Face cache; null: it is not used. */
export async function hubSources(
  { endpoint, token }: Hub,
  model: { name: string; revision: string },
  files: HubModel["files"],
  cache: string | null,
): Promise<{ files: SetFile[]; authorization: string | null }> {
  const source = async ({ name, bytes, algorithm, digest }: HubModel["files"][number]): Promise<SetFile> => {
    const file = { name, bytes, digest: { algorithm, hex: digest } }
    const cachedPath = cache === null ? null : await cachedFile(cache, model, file)
    const address = `${endpoint}/${model.name}/resolve/${model.revision}/${encodeURIComponent(name)}`
    return { ...file, address, ...(cachedPath === null ? {} : { cachedPath }) }
  }
  return { files: await Promise.all(files.map(source)), authorization: token === null ? null : `Bearer ${token}` }
}
