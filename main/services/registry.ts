// The models that are installed: records of what lies in the data folder and of what is read where the user has it.
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { basename, join, relative } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import type { InstalledModel, ModelInspection } from "../../shared/schema/model.ts"
import type { Database, Row } from "../storage/database.ts"
import { type DataPaths, isInside } from "../storage/paths.ts"
import type { Events } from "./events.ts"

export interface NewModel {
  inspection: ModelInspection
  name?: string
  license?: string | null
  source: string
  note: string | null
  isOwned: boolean
}

export interface Registry {
  list(): InstalledModel[]
  /** Throws "not_found". */
  get(modelId: string): InstalledModel
  /** By id, name, name and format ("name-nf4"), or the name of its folder; null where none or several fit. */
  find(reference: string): InstalledModel | null
  atPath(path: string): InstalledModel | null
  /** Adds the model, or renews the record that its path has. */
  add(model: NewModel): InstalledModel
  remove(modelId: string): void
}

export function createRegistry(options: { database: Database; events: Events; paths: DataPaths }): Registry {
  const { database, events, paths } = options

  function fromRow(row: Row): InstalledModel {
    const isOwned = row.is_owned === 1
    const path = isOwned ? join(paths.home, String(row.path)) : String(row.path)
    const reason = existsSync(path) ? textOrNull(row.reason) : `The files are gone: there is no ${path}.`
    return {
      id: String(row.id),
      name: String(row.name),
      path,
      architecture: String(row.architecture),
      format: String(row.format),
      parameters: Number(row.parameters),
      disk_bytes: Number(row.disk_bytes),
      context_length: Number(row.context_length),
      license: textOrNull(row.license),
      source: String(row.source),
      note: textOrNull(row.note),
      isOwned,
      supported: reason === null,
      reason,
      canBeQuantized: row.can_be_quantized === 1 && existsSync(path),
      addedAt: Number(row.added_at),
    }
  }

  function list(): InstalledModel[] {
    return database.all("SELECT * FROM models ORDER BY added_at, rowid").map(fromRow)
  }

  function storedPath({ inspection, isOwned }: NewModel): string {
    if (!isOwned) return inspection.path
    if (!isInside(paths.models, inspection.path))
      throw new AppError("internal", `${inspection.path} does not lie in ${paths.models}, so it cannot belong to Nibble.`)
    return relative(paths.home, inspection.path)
  }

  const tell = () => events.emit({ type: "models", models: list() })

  return {
    list,
    get(modelId) {
      const row = database.get("SELECT * FROM models WHERE id = ?", modelId)
      if (!row) throw new AppError("not_found", `There is no installed model with the id ${modelId}.`)
      return fromRow(row)
    },
    find(reference) {
      const models = list()
      const byId = models.find(({ id }) => id === reference)
      if (byId) return byId
      const names = (model: InstalledModel) => [model.name, `${model.name}-${model.format}`, basename(model.path)]
      const fitting = models.filter((model) => names(model).includes(reference))
      return fitting.length === 1 ? (fitting[0] ?? null) : null
    },
    atPath: (path) => list().find((model) => model.path === path) ?? null,
    add(model) {
      const { inspection, source, note, isOwned } = model
      const path = storedPath(model)
      const known = database.get("SELECT id, added_at FROM models WHERE path = ?", path)
      const id = known ? String(known.id) : randomBytes(6).toString("hex")
      database.run(
        `INSERT OR REPLACE INTO models (id, name, path, architecture, format, parameters, disk_bytes, context_length, license, source, note,
          is_owned, reason, can_be_quantized, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[id, model.name ?? inspection.name, path, inspection.architecture, inspection.format, inspection.parameters],
        ...[inspection.disk_bytes, inspection.context_length, model.license ?? inspection.license, source, note],
        ...[isOwned ? 1 : 0, inspection.reason, inspection.can_be_quantized ? 1 : 0, known ? Number(known.added_at) : Date.now()],
      )
      tell()
      return this.get(id)
    },
    remove(modelId) {
      database.run("DELETE FROM models WHERE id = ?", modelId)
      tell()
    },
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null
}
