// A folder of its own for each test, removed after it.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"

export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nibble-test-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}
