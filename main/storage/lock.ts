// One app per data folder. The lock is an exclusive transaction on an SQLite file of its own: the operating system lets go of it when
// the process ends, however it ends, so there are no stale locks and no process ids that another program got meanwhile.
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import { writeFileAtomic } from "./atomic-file.ts"

export interface Lock {
  release(): void
}

const Holder = z.object({ pid: z.int().positive() })
const busyCode = 5

/** Throws "busy" when another Nibble holds this folder. */
export async function lockDataFolder(home: string): Promise<Lock> {
  const file = join(home, "nibble.lock")
  // Who holds it stands in a file beside it, because the locked one cannot be read.
  const holderFile = join(home, "nibble.lock.json")
  const connection = take(file, home, holderFile)
  try {
    await writeFileAtomic(holderFile, `${JSON.stringify({ pid: process.pid })}\n`)
  } catch (thrown) {
    connection.close()
    throw thrown
  }
  let isHeld = true
  return {
    release() {
      if (!isHeld) return
      isHeld = false
      // The lock's own file stays: removing it would let a third process lock a new one while a second waits at the old.
      rmSync(holderFile, { force: true })
      connection.close()
    },
  }
}

function take(file: string, home: string, holderFile: string): DatabaseSync {
  let connection: DatabaseSync | undefined
  try {
    connection = new DatabaseSync(file, { timeout: 0 })
    connection.exec("BEGIN EXCLUSIVE")
    return connection
  } catch (thrown) {
    connection?.close()
    const code = thrown instanceof Error && "errcode" in thrown ? Number(thrown.errcode) & 0xff : 0
    if (code === busyCode) {
      const pid = holderOf(holderFile)
      throw new AppError(
        "busy",
        `Nibble is already running with the data folder ${home}${pid === null ? "" : ` (process ${pid})`}.`,
        "Use the one that is open, close it first, or set NIBBLE_HOME to another folder.",
      )
    }
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new AppError("no_permission", `The data folder ${home} cannot be locked: ${reason}.`, "Check that you may write to this folder.")
  }
}

function holderOf(holderFile: string): number | null {
  try {
    return Holder.parse(JSON.parse(readFileSync(holderFile, "utf8"))).pid
  } catch {
    // It is just starting, or ended badly in the middle of it.
    return null
  }
}
