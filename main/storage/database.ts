// The SQLite database: opened with its settings, brought up to date, and with errors as codes. Several processes may use it at once (the
// command line beside a running app): write-ahead log, and waiting for the other's lock.
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { AppError, type ErrorCode } from "../../shared/schema/error.ts"
import { type Migration, migrations } from "./migrations.ts"

export type Row = Record<string, unknown>

export interface Database {
  run(sql: string, ...values: SQLInputValue[]): void
  get(sql: string, ...values: SQLInputValue[]): Row | undefined
  all(sql: string, ...values: SQLInputValue[]): Row[]
  /** All or nothing. `work` must not wait for anything. */
  transaction<T>(work: () => T): T
  close(): void
}

const wait_ms = 5000

export function openDatabase(path: string, list: Migration[] = migrations): Database {
  return translated(path, () => {
    const connection = new DatabaseSync(path, { timeout: wait_ms, enableForeignKeyConstraints: true })
    try {
      refuseNewer(connection, path, list.length)
      connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
      const database = wrap(connection, path)
      migrate(database, path, list)
      return database
    } catch (thrown) {
      connection.close()
      throw thrown
    }
  })
}

function wrap(connection: DatabaseSync, path: string): Database {
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known) return known
    const statement = connection.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  let isOpen = true
  return {
    run: (sql, ...values) => translated(path, () => void prepared(sql).run(...values)),
    get: (sql, ...values) => translated(path, () => prepared(sql).get(...values)),
    all: (sql, ...values) => translated(path, () => prepared(sql).all(...values)),
    transaction(work) {
      return translated(path, () => {
        // "IMMEDIATE" takes the write lock now: waiting for it works only at the beginning of a transaction.
        connection.exec("BEGIN IMMEDIATE")
        try {
          const result = work()
          connection.exec("COMMIT")
          return result
        } catch (thrown) {
          if (connection.isTransaction) connection.exec("ROLLBACK")
          throw thrown
        }
      })
    },
    close() {
      if (!isOpen) return
      isOpen = false
      connection.close()
    },
  }
}

function versionOf(database: { get(sql: string): Row | undefined }): number {
  return Number(database.get("PRAGMA user_version")?.user_version ?? 0)
}

function refuseNewer(connection: DatabaseSync, path: string, known: number): void {
  const version = versionOf({ get: (sql) => connection.prepare(sql).get() })
  if (version <= known) return
  throw new AppError(
    "unsupported",
    `The database ${path} was written by a newer Nibble (version ${version} of its tables; this program knows up to ${known}).`,
    "Start the newer Nibble, or set NIBBLE_HOME to another folder.",
  )
}

/** Another process may be migrating at the same moment: the version is read again under the write lock. */
function migrate(database: Database, path: string, list: Migration[]): void {
  if (versionOf(database) >= list.length) return
  database.transaction(() => {
    for (const [index, migration] of list.entries()) {
      const number = index + 1
      if (versionOf(database) >= number) continue
      try {
        for (const statement of migration) database.run(statement)
        database.run(`PRAGMA user_version = ${number}`)
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown
        throw new AppError(thrown.code, `The database ${path} could not be brought to version ${number}: ${thrown.message}`, thrown.hint)
      }
    }
  })
}

/** Primary result codes of SQLite, https://www.sqlite.org/rescode.html */
const codes: Record<number, { code: ErrorCode; say: string; hint: string }> = {
  3: { code: "no_permission", say: "may not be used", hint: "Change the permissions of the file and of its folder." },
  5: { code: "busy", say: "is in use by another program", hint: "Close the other program, or try again." },
  8: { code: "no_permission", say: "cannot be written to", hint: "Change the permissions of the file and of its folder." },
  10: { code: "internal", say: "could not be read or written (input/output error)", hint: "Check the disk." },
  11: { code: "bad_file", say: "is damaged", hint: "Move the file away to start with an empty one; chats in it are then not shown." },
  13: { code: "no_space", say: "cannot grow: the disk is full", hint: "Free some space there." },
  14: { code: "no_permission", say: "cannot be opened", hint: "Change the permissions of the file and of its folder." },
  26: { code: "bad_file", say: "is no database", hint: "Move the file away to start with an empty one." },
}

function translated<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") throw thrown
    // Extended codes carry the primary code in their lowest byte.
    const known = codes[thrown.errcode & 0xff]
    if (!known) throw new AppError("internal", `The database ${path} refused a statement: ${thrown.message}`, undefined, { cause: thrown })
    throw new AppError(known.code, `The database ${path} ${known.say}.`, known.hint, { cause: thrown })
  }
}
