// The records of additions: in memory as they are this moment, in the database as they are after a restart, told to the pages.
import { z } from "zod"
import { Addition, TensorError } from "../../shared/schema/addition.ts"
import { AppError } from "../../shared/schema/error.ts"
import { HubFileInfo } from "../../shared/schema/hub.ts"
import type { Events } from "../services/events.ts"
import { throttle } from "../services/progress.ts"
import type { Database } from "../storage/database.ts"

/** What is kept beside what the pages see. */
export const AdditionDetails = z.object({
  files: z.array(HubFileInfo),
  /** Of the hub: headers and small files of the model, before anything is downloaded; null where the access is refused. */
  headers: z.string().nullable(),
  pageUrl: z.string().nullable(),
  licenseUrl: z.string().nullable(),
  /** Folder in which the model is being put, and that of the originals: known before, so that a crash in between is seen. */
  target: z.string().nullable(),
  originalTarget: z.string().nullable(),
})
export type AdditionDetails = z.infer<typeof AdditionDetails>

/** What changes many times a second, and may be lost when the program is killed. */
export type FastChange = Partial<Pick<Addition, "download" | "quantize" | "check" | "files">>

export interface AdditionStore {
  list(): Addition[]
  /** Throws "not_found". */
  get(id: string): Addition
  has(id: string): boolean
  details(id: string): AdditionDetails
  insert(addition: Addition, details: AdditionDetails): void
  /** Saved and told; returns the new record. */
  change(id: string, change: Partial<Addition>): Addition
  changeDetails(id: string, change: Partial<AdditionDetails>): void
  /** Told a few times a second, and saved with the next change. */
  progress(id: string, change: FastChange): void
  tensors(id: string): TensorError[]
  /** What is to be quantized: errors that were known of other tensors are forgotten. */
  expectTensors(id: string, names: string[]): void
  setErrors(id: string, errors: { name: string; error: number }[]): void
  remove(id: string): void
}

const told_ms = 100

interface Entry {
  addition: Addition
  details: AdditionDetails
  errors: Map<string, number | null>
  tell: ReturnType<typeof throttle>
}

export function createAdditionStore({ database, events }: { database: Database; events: Events }): AdditionStore {
  const entries = new Map<string, Entry>()

  function enter(addition: Addition, details: AdditionDetails, errors: Map<string, number | null>): Entry {
    const entry: Entry = {
      ...{ addition, details, errors },
      tell: throttle(() => events.emit({ type: "addition", addition: entry.addition }), told_ms),
    }
    entries.set(addition.id, entry)
    return entry
  }

  for (const row of database.all("SELECT record, details, errors FROM additions ORDER BY created_at, rowid")) {
    const addition = Addition.safeParse(parseJson(row.record))
    const details = AdditionDetails.safeParse(parseJson(row.details))
    const errors = z.array(TensorError).safeParse(parseJson(row.errors))
    if (!addition.success || !details.success) continue
    enter(addition.data, details.data, new Map((errors.data ?? []).map(({ name, error }) => [name, error])))
  }

  function found(id: string): Entry {
    const entry = entries.get(id)
    if (!entry) throw new AppError("not_found", `There is no model being added with the id ${id}.`)
    return entry
  }

  function save({ addition, details, errors }: Entry): void {
    database.run(
      `INSERT INTO additions (id, record, details, errors, created_at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET record = excluded.record, details = excluded.details, errors = excluded.errors`,
      ...[addition.id, JSON.stringify(addition), JSON.stringify(details), JSON.stringify(tensorErrors(errors)), addition.createdAt],
    )
  }

  const list = () => [...entries.values()].map(({ addition }) => addition)
  const tellAll = () => events.emit({ type: "additions", additions: list() })

  return {
    list,
    get: (id) => found(id).addition,
    has: (id) => entries.has(id),
    details: (id) => found(id).details,
    insert(addition, details) {
      save(enter(addition, details, new Map()))
      tellAll()
    },
    change(id, change) {
      const entry = found(id)
      entry.addition = { ...entry.addition, ...change, updatedAt: Date.now() }
      save(entry)
      entry.tell.call()
      return entry.addition
    },
    changeDetails(id, change) {
      const entry = found(id)
      entry.details = { ...entry.details, ...change }
      save(entry)
    },
    progress(id, change) {
      const entry = found(id)
      entry.addition = { ...entry.addition, ...change }
      entry.tell.call()
    },
    tensors: (id) => tensorErrors(found(id).errors),
    expectTensors(id, names) {
      const entry = found(id)
      entry.errors = new Map(names.map((name) => [name, entry.errors.get(name) ?? null]))
    },
    setErrors(id, errors) {
      const entry = found(id)
      for (const { name, error } of errors) entry.errors.set(name, error)
    },
    remove(id) {
      found(id).tell.cancel()
      entries.delete(id)
      database.run("DELETE FROM additions WHERE id = ?", id)
      tellAll()
    },
  }
}

function tensorErrors(errors: Map<string, number | null>): TensorError[] {
  return [...errors].map(([name, error]) => ({ name, error }))
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return null
  }
}
