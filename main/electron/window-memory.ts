import type { ProcessMetric } from "electron"
import type { WindowMemory } from "../services/memory.ts"

/** What the window takes: its page, and the helpers that draw it. Main and the engine's host count themselves. */
export function windowMemoryOf(metrics: ProcessMetric[], engine: number | undefined): WindowMemory {
  const window = metrics.filter(({ type, pid }) => type !== "Browser" && pid !== engine)
  return { bytes: window.reduce((sum, { memory }) => sum + memory.workingSetSize * 1024, 0), pids: window.map(({ pid }) => pid) }
}
