// A model as it is before its download: the first bytes of its weights only, and the note that says so.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { writePartialFiles } from "../../../main/models/header-folder.ts"
import { scratchFolder } from "../scratch.ts"

/** Of a folder with one file of weights. Removed after the test. */
export async function headersOf(folder: string): Promise<string> {
  const copy = join(scratchFolder(), basename(folder))
  cpSync(folder, copy, { recursive: true })
  const weights = join(copy, "model.safetensors")
  const whole = readFileSync(weights)
  const header = 8 + Number(whole.readBigUInt64LE())
  rmSync(weights)
  writeFileSync(weights, whole.subarray(0, header))
  await writePartialFiles(copy, new Map([["model.safetensors", { bytes: whole.length, ranges: [[0, header]] }]]))
  return copy
}
