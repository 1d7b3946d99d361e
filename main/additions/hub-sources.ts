// Where the files of a repository come from.
import type { HubModel } from "../../shared/schema/hub.ts"
import { cachedFile } from "../hub/cache.ts"
import type { SetFile } from "../hub/download-set.ts"
import { bearer, filesToFetch, type Hub } from "../hub/hub.ts"

/** `cache`: the Hugging Face cache; null: it is not used. */
export async function hubSources(
  hub: Hub,
  model: { name: string; revision: string },
  files: HubModel["files"],
  cache: string | null,
): Promise<{ files: SetFile[]; authorization: string | null }> {
  const wanted = files.map(({ name, bytes, algorithm, digest }) => ({ name, bytes, digest: { algorithm, hex: digest } }))
  const source = async (file: SetFile): Promise<SetFile> => {
    const cachedPath = cache === null ? null : await cachedFile(cache, model, file)
    return cachedPath === null ? file : { ...file, cachedPath }
  }
  return { files: await Promise.all(filesToFetch(hub, model, wanted).map(source)), authorization: bearer(hub) }
}
