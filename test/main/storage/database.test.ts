import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { openDatabase } from "../../../main/storage/database.ts"
import { type Migration, migrations } from "../../../main/storage/migrations.ts"
import { scratchFolder } from "../scratch.ts"

const steps: Migration[] = [["CREATE TABLE fruit (name TEXT PRIMARY KEY)"], ["ALTER TABLE fruit ADD COLUMN color TEXT"]]

function opened(path: string, list?: Migration[]) {
  const database = openDatabase(path, list)
  onTestFinished(() => database.close())
  return database
}

describe("the database", () => {
  it("is brought up to date from any version, keeping what is in it", () => {
    const path = join(scratchFolder(), "nibble.db")
    const old = openDatabase(path, steps.slice(0, 1))
    old.run("INSERT INTO fruit VALUES (?)", "plum")
    old.close()
    const database = opened(path, steps)
    expect(database.all("SELECT * FROM fruit")).toEqual([{ name: "plum", color: null }])
    expect(database.get("PRAGMA user_version")).toEqual({ user_version: 2 })
    expect(database.get("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" })
    expect(database.get("PRAGMA foreign_keys")).toEqual({ foreign_keys: 1 })
  })

  it("of a newer program is refused and not touched", () => {
    const path = join(scratchFolder(), "nibble.db")
    openDatabase(path, steps).close()
    expect(() => openDatabase(path, steps.slice(0, 1))).toThrow(/newer Nibble \(version 2 .* up to 1\)/)
    expect(opened(path, steps).get("PRAGMA user_version")).toEqual({ user_version: 2 })
  })

  it("keeps its version where a step fails", () => {
    const path = join(scratchFolder(), "nibble.db")
    const broken: Migration[] = [...steps, ["CREATE TABLE good (a)", "CREATE TABLE fruit (a)"]]
    openDatabase(path, steps).close()
    expect(() => openDatabase(path, broken)).toThrow(/could not be brought to version 3/)
    const database = opened(path, steps)
    expect(database.get("SELECT name FROM sqlite_schema WHERE name = 'good'")).toBeUndefined()
  })

  it("that is no database is refused by name", () => {
    const path = join(scratchFolder(), "nibble.db")
    writeFileSync(path, "this is a text, and a long enough one to be read as a header".repeat(40))
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: "bad_file", message: expect.stringContaining(path) }))
  })

  it("that cannot be made says so", () => {
    const path = join(scratchFolder(), "missing", "nibble.db")
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: "no_permission", message: expect.stringContaining(path) }))
  })

  it("that cannot grow says so, and keeps what it has", () => {
    const database = opened(join(scratchFolder(), "nibble.db"), steps)
    database.run("INSERT INTO fruit VALUES ('plum', NULL)")
    database.get("PRAGMA max_page_count = 10")
    const grow = () => database.run("INSERT INTO fruit VALUES (?, NULL)", "x".repeat(200_000))
    expect(grow).toThrow(expect.objectContaining({ code: "no_space" }))
    expect(database.all("SELECT name FROM fruit")).toEqual([{ name: "plum" }])
  })

  it("undoes a transaction that throws", () => {
    const database = opened(join(scratchFolder(), "nibble.db"), steps)
    const work = () =>
      database.transaction(() => {
        database.run("INSERT INTO fruit VALUES ('plum', NULL)")
        throw new Error("stop")
      })
    expect(work).toThrow("stop")
    expect(database.all("SELECT * FROM fruit")).toEqual([])
    database.transaction(() => database.run("INSERT INTO fruit VALUES ('fig', NULL)"))
    expect(database.all("SELECT name FROM fruit")).toEqual([{ name: "fig" }])
  })

  it("is shared by two connections", () => {
    const path = join(scratchFolder(), "nibble.db")
    const one = opened(path, steps)
    const other = opened(path, steps)
    one.run("INSERT INTO fruit VALUES ('plum', NULL)")
    other.run("INSERT INTO fruit VALUES ('fig', NULL)")
    expect(one.all("SELECT name FROM fruit ORDER BY name")).toEqual([{ name: "fig" }, { name: "plum" }])
  })

  it("has the tables of this program", () => {
    const database = opened(join(scratchFolder(), "nibble.db"))
    expect(database.get("PRAGMA user_version")).toEqual({ user_version: migrations.length })
    expect(() =>
      database.run("INSERT INTO messages (id, chat_id, role, text, state, created_at) VALUES ('m', 'none', 'user', '', 'done', 0)"),
    ).toThrow(/FOREIGN KEY/)
  })
})
