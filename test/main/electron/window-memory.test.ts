import type { ProcessMetric } from "electron"
import { expect, it } from "vitest"
import { windowMemoryOf } from "../../../main/electron/window-memory.ts"

it("counts the window's processes, without main's and the engine's", () => {
  const process = (pid: number, type: string, kibibytes: number) =>
    ({ pid, type, memory: { workingSetSize: kibibytes, peakWorkingSetSize: 0 } }) as unknown as ProcessMetric
  const metrics = [
    process(1, "Browser", 1000),
    process(2, "Tab", 200),
    process(3, "GPU", 100),
    process(4, "Utility", 50),
    process(5, "Utility", 9),
  ]
  expect(windowMemoryOf(metrics, 4)).toEqual({ bytes: 309 * 1024, pids: [2, 3, 5] })
})
