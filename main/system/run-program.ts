import { execFile } from "node:child_process"

/** Runs a program of the system and gives what it prints; null where it is not there, fails, or takes too long. */
export type RunProgram = (file: string, args: string[]) => Promise<string | null>

const patience_ms = 5000
const most_bytes = 8 * 2 ** 20

export const runProgram: RunProgram = (file, args) =>
  new Promise((resolve) => {
    execFile(file, args, { timeout: patience_ms, maxBuffer: most_bytes, windowsHide: true }, (error, output) =>
      resolve(error ? null : output),
    )
  })
