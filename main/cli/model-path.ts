// MODEL: a folder or a GGUF file, or the name of an installed model. The database is opened for a name only.
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import type { InstalledModel } from "../../shared/schema/model.ts"

export interface ChosenModel {
  /** Absolute. */
  path: string
  /** null: a path that is not looked up among the installed ones. */
  installed: InstalledModel | null
}

export async function chooseModel(reference: string): Promise<ChosenModel> {
  if (existsSync(reference)) return { path: resolve(reference), installed: null }
  const { AppError } = await import("../../shared/schema/error.ts")
  const installed = await findInstalled(reference)
  // What cannot run may be quantized; who wants to run it is told by the model itself.
  if (installed?.supported || installed?.canBeQuantized) return { path: installed.path, installed }
  if (installed) throw new AppError("unsupported", installed.reason ?? `${reference} cannot be used.`)
  throw new AppError(
    "not_found",
    `There is no folder, file or installed model "${reference}".`,
    "See the installed ones with: nibble models list. Get one with: nibble models pull starter",
  )
}

async function findInstalled(reference: string): Promise<InstalledModel | null> {
  const [{ dataFolder, dataPaths }, { openDatabase }, { createRegistry }, { createEvents }] = await Promise.all([
    import("../storage/paths.ts"),
    import("../storage/database.ts"),
    import("../services/registry.ts"),
    import("../services/events.ts"),
  ])
  const paths = dataPaths(dataFolder())
  if (!existsSync(paths.database)) return null
  const database = openDatabase(paths.database)
  try {
    return createRegistry({ database, events: createEvents(), paths }).find(reference)
  } finally {
    database.close()
  }
}
