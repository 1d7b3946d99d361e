// The records of additions: in memory as they are this moment, in the database as they are after a restart, told to the pages. The command
// line works beside a running app: what this process does not work on itself is read from the database again, where another may change it.
import { z } from "zod"
import { Addition, TensorError } from "../../shared/schema/addition.ts"
import { AppError } from "../../shared/schema/error.ts"
import { HubFileInfo } from "../../shared/schema/hub.ts"
import type { Events } from "../services/events.ts"
import { throttle } from "../services/progress.ts"
import type { Database, Row } from "../storage/database.ts"
import { isElsewhere } from "../storage/owner.ts"

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
  /** Takes it to work on, until `release`: only then are `progress` and `setErrors` kept. Throws "busy" where another process has it. */
  claim(id: string): void
  release(id: string): void
  /** Whether another process works on it. */
  isElsewhere(id: string): boolean
  /** Throws "busy" where one does. */
  requireOurs(id: string): void
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
}

/** What this process works on. */
interface Claimed extends Entry {
  tell: ReturnType<typeof throttle>
}

/** `isLocked`: whether this process holds the lock of the data folder. */
export function createAdditionStore(options: { database: Database; events: Events; isLocked: boolean }): AdditionStore {
  const { database, events, isLocked } = options
  const claimed = new Map<string, Claimed>()

  /** As it is in the database; null where it is not, or this version cannot read it. */
  function stored(id: string): Entry | null {
    const row = database.get("SELECT record, details, errors FROM additions WHERE id = ?", id)
    return row ? readRow(row) : null
  }

  function found(id: string): Entry {
    const entry = claimed.get(id) ?? stored(id)
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

  function tell(addition: Addition): void {
    const entry = claimed.get(addition.id)
    if (entry) entry.tell.call()
    else events.emit({ type: "addition", addition })
  }

  function list(): Addition[] {
    const rows = database.all("SELECT id, record, details, errors FROM additions ORDER BY created_at, rowid")
    return rows.flatMap((row) => (claimed.get(String(row.id)) ?? readRow(row))?.addition ?? [])
  }

  const tellAll = () => events.emit({ type: "additions", additions: list() })

  function isWorkedOnElsewhere(id: string): boolean {
    if (claimed.has(id)) return false
    const row = database.get("SELECT owner_pid, is_owner_locked FROM additions WHERE id = ? AND owner_pid IS NOT NULL", id)
    return row !== undefined && isElsewhere({ pid: Number(row.owner_pid), isLocked: row.is_owner_locked === 1 }, isLocked)
  }

  function requireOurs(id: string): void {
    if (!isWorkedOnElsewhere(id)) return
    const { name } = found(id).addition
    throw new AppError(
      "busy",
      `Another Nibble process works on ${name}.`,
      "Wait for its end, or stop it there with Ctrl+C in its terminal.",
    )
  }

  return {
    list,
    get: (id) => found(id).addition,
    claim(id) {
      const entry = database.transaction(() => {
        requireOurs(id)
        const [pid, locked] = [process.pid, isLocked ? 1 : 0]
        database.run("UPDATE additions SET owner_pid = ?, is_owner_locked = ? WHERE id = ?", pid, locked, id)
        return found(id)
      })
      const own: Claimed = { ...entry, tell: throttle(() => events.emit({ type: "addition", addition: own.addition }), told_ms) }
      claimed.set(id, own)
    },
    release(id) {
      // What is told from now on may come from others, and is not to be followed by what was true before.
      const own = claimed.get(id)
      own?.tell.cancel()
      claimed.delete(id)
      if (own && stored(id)) events.emit({ type: "addition", addition: own.addition })
      database.run("UPDATE additions SET owner_pid = NULL WHERE id = ?", id)
    },
    isElsewhere: isWorkedOnElsewhere,
    requireOurs,
    details: (id) => found(id).details,
    insert(addition, details) {
      save({ addition, details, errors: new Map() })
      tellAll()
    },
    change(id, change) {
      const entry = found(id)
      entry.addition = { ...entry.addition, ...change, updatedAt: Date.now() }
      save(entry)
      tell(entry.addition)
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
      tell(entry.addition)
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
      database.run("DELETE FROM additions WHERE id = ?", id)
      tellAll()
    },
  }
}

function readRow(row: Row): Entry | null {
  const addition = Addition.safeParse(parseJson(row.record))
  const details = AdditionDetails.safeParse(parseJson(row.details))
  const errors = z.array(TensorError).safeParse(parseJson(row.errors))
  if (!addition.success || !details.success) return null
  return {
    addition: addition.data,
    details: details.data,
    errors: new Map((errors.data ?? []).map(({ name, error }) => [name, error])),
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
