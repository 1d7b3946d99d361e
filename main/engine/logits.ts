// Logits of a sequence as a safetensors file, for comparison with other programs.
import { randomBytes } from "node:crypto"
import { open, rename, rm, stat, statfs } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { safetensorsHeader } from "../models/safetensors.ts"
import type { HeldModel } from "./model-slot.ts"
import { runTask } from "./run-task.ts"

export async function writeLogits(model: HeldModel, input: { tokens: number[]; out: string }, signal: AbortSignal) {
  const { tokens } = input
  const out = checkedPath(input.out)
  const vocabSize = model.opened.decoder.vocabSize
  const bytes = tokens.length * vocabSize * 4
  await checkPlace(out, bytes)
  const { header } = safetensorsHeader([{ name: "logits", dtype: "F32", shape: [tokens.length, vocabSize], bytes }])
  const temporary = join(dirname(out), `.${basename(out)}.partial-${randomBytes(4).toString("hex")}`)
  try {
    const file = await open(temporary, "wx")
    await file.writeFile(header).finally(() => file.close())
    const { rows, cols } = await runTask(model.native.logits({ tokens, path: temporary, offset: header.length }), signal)
    await rename(temporary, out)
    return { out, shape: [rows, cols] }
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function checkedPath(path: string): string {
  if (path.includes("\0")) throw new AppError("bad_input", "The path of the output contains a NUL character.")
  return resolve(path)
}

async function checkPlace(out: string, bytes: number): Promise<void> {
  const folder = dirname(out)
  const found = await stat(folder).catch(() => null)
  if (!found?.isDirectory()) throw new AppError("not_found", `The folder ${folder} for the logits does not exist.`, "Make it first.")
  if (
    await stat(out)
      .then((it) => it.isDirectory())
      .catch(() => false)
  ) {
    throw new AppError("bad_input", `${out} is a folder; the logits are one file.`, "Give the name of a file in it.")
  }
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < bytes) {
    throw new AppError(
      "no_space",
      `The logits need ${bytes} bytes; ${folder} has ${bavail * bsize} free.`,
      "Free some space, or give fewer tokens.",
    )
  }
}
