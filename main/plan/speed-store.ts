// The speeds that were measured of this computer: one for each instruction set, number of threads and version of the engine, since each of
// them changes what is measured.
import { SpeedProfile } from "../../shared/schema/plan.ts"
import type { EngineInfo } from "../../shared/schema/system.ts"
import type { Database } from "../storage/database.ts"

export interface SpeedKey {
  isa: string
  threads: number
  engineVersion: string
}

export interface SpeedStore {
  find(key: SpeedKey): SpeedProfile | null
  /** What was measured last with so many threads (0: any), until the engine has said what it is. */
  newest(threads: number): SpeedProfile | null
  keep(engineVersion: string, profile: SpeedProfile): void
}

export function speedKey({ isa, version, logicalCores }: Pick<EngineInfo, "isa" | "version" | "logicalCores">, threads: number): SpeedKey {
  return { isa, threads: threads || logicalCores, engineVersion: version }
}

export function createSpeedStore(database: Database): SpeedStore {
  /** Null also for a record of another version of the program. */
  const read = (record: unknown): SpeedProfile | null => {
    try {
      return SpeedProfile.safeParse(JSON.parse(String(record))).data ?? null
    } catch {
      return null
    }
  }
  return {
    find({ isa, threads, engineVersion }) {
      const query = "SELECT record FROM speeds WHERE isa = ? AND threads = ? AND engine_version = ?"
      const row = database.get(query, isa, threads, engineVersion)
      return row ? read(row.record) : null
    },
    newest(threads) {
      const row = database.get("SELECT record FROM speeds WHERE ? IN (0, threads) ORDER BY measured_at DESC LIMIT 1", threads)
      return row ? read(row.record) : null
    },
    keep(engineVersion, profile) {
      database.run(
        "INSERT OR REPLACE INTO speeds (isa, threads, engine_version, record, measured_at) VALUES (?, ?, ?, ?, ?)",
        ...[profile.isa, profile.threads, engineVersion, JSON.stringify(profile), profile.measuredAt],
      )
    },
  }
}
