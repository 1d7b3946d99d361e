// Runs the command line from its sources, as a process of its own with a data folder of its own.
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { pinnedNode, top } from "../../../scripts/places.mjs"

export const models = join(top, "test/fixtures/models")

/** Removed after the tests of the file. */
export const scratch = mkdtempSync(join(tmpdir(), "nibble-cli-"))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

export interface Run {
  code: number | null
  out: string
  error: string
  /** Standard output as JSON. */
  json<T = Record<string, unknown>>(): T
}

export interface RunOptions {
  env?: Record<string, string>
  input?: string
  /** Called with the process once it runs. */
  onStart?(child: ChildProcess): void
}

export function nibble(args: string[], { env = {}, input, onStart }: RunOptions = {}): Promise<Run> {
  const child = spawn(pinnedNode, [join(top, "main/cli/main.ts"), ...args], {
    cwd: scratch,
    env: { ...process.env, NIBBLE_HOME: join(scratch, "home"), NIBBLE_CHECKED: "1", BROWSER: "none", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  })
  const run = { code: null as number | null, out: "", error: "" }
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.out += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.error += text
  })
  // A process that ends early does not read what it is sent.
  child.stdin.on("error", () => {})
  if (input !== undefined || !onStart) child.stdin.end(input)
  onStart?.(child)
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => resolve({ ...run, code, json: () => JSON.parse(run.out) }))
  })
}
