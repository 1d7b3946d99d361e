// A finished model takes its place among the installed ones. Its place is written down before, so that an end of the process between the
// two steps loses nothing.
import { basename, join } from "node:path"
import type { AdditionSource } from "../../shared/schema/addition.ts"
import type { InstalledModel } from "../../shared/schema/model.ts"
import { placeFolder } from "../storage/model-folders.ts"
import type { Environment } from "./environment.ts"
import { exists } from "./folders.ts"

export function sourceText(source: AdditionSource): string {
  return source.kind === "hub" ? `hub:${source.name}@${source.revision}` : "local"
}

/** `staged`: a folder with all of it, or one that has been placed already. `file`: of a GGUF model. */
export async function placeModel(
  { paths, registry, inspect, store }: Environment,
  wish: { id: string; staged: string; wanted: string; file: string | null; kind: "target" | "originalTarget"; note: string | null },
): Promise<InstalledModel> {
  const { id, staged, wanted, file, kind, note } = wish
  const known = knownModel()
  if (known) return known
  if (await exists(staged)) await placeFolder(staged, paths.models, wanted, (target) => store.changeDetails(id, { [kind]: target }))
  const placed = store.details(id)[kind] ?? staged
  const path = file === null ? placed : join(placed, basename(file))
  const { name, license, source } = store.get(id)
  const inspection = { ...(await inspect(path)), path }
  return registry.add({ inspection, name, license, source: sourceText(source), note, isOwned: true })

  /** It was put there before the program was ended, and the work after it was done again. */
  function knownModel(): InstalledModel | null {
    const target = store.details(id)[kind]
    return target === null ? null : registry.atPath(file === null ? target : join(target, basename(file)))
  }
}

/** Whether `made` was put among the models before an end of the process. */
export async function isPlaced({ store }: Environment, id: string, staged: string): Promise<boolean> {
  const { target } = store.details(id)
  return target !== null && !(await exists(staged)) && (await exists(target))
}
