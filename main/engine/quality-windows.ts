// The text of a measurement, cut into windows of tokens.
//
// The protocol: the text becomes ids as transformers' tokenizer(text, add_special_tokens=False) gives them, cut after `maxTokens` of
// them. They are cut into windows of `window` ids, the last may be shorter, and each window begins afresh, as a text of its own: the ids
// that the tokenizer puts in front of a text (the begin-of-text token of Llama or Gemma; many have none) stand in front of each window and
// count as part of it. The first id of a window is not predicted; of all others the mean is taken, each once.
import { readFile, stat } from "node:fs/promises"
import { AppError } from "../../shared/schema/error.ts"
import type { Tokenizer } from "./tokenizer/tokenizer.ts"

const maxTextBytes = 64 << 20
/** No vocabulary has longer words than that; more of a long text is not looked at. */
const maxTokenCharacters = 100

/** Throws bad_input where there are not two tokens to make a window of. */
export function cutWindows(tokenizer: Tokenizer, text: string, { window, maxTokens }: { window: number; maxTokens: number }): number[][] {
  const looked = maxTokens > 0 ? text.slice(0, maxTokens * maxTokenCharacters) : text
  const lead = leadOf(tokenizer)
  const ids = tokenizer.encode(looked).slice(0, maxTokens || undefined)
  const size = window - lead.length
  if (size < 1) throw new AppError("bad_input", `A window of ${window} tokens has no room beside the ${lead.length} that begin each text.`)
  const count = Math.ceil(ids.length / size)
  const windows = Array.from({ length: count }, (_, i) => [...lead, ...ids.slice(i * size, (i + 1) * size)])
  const usable = windows.filter(({ length }) => length > 1)
  if (usable.length === 0)
    throw new AppError("bad_input", "The text has no two tokens to measure with.", "Give a text of a few hundred words.")
  return usable
}

/** What stands in front of every text, whatever it is. */
function leadOf(tokenizer: Tokenizer): number[] {
  const [nothing, something] = ["", "a"].map((text) => tokenizer.encode(text, { addSpecial: true })) as [number[], number[]]
  const end = something.findIndex((id, i) => id !== nothing[i])
  return something.slice(0, end < 0 ? something.length : end)
}

export async function readTextFile(path: string): Promise<string> {
  const about = await stat(path).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== "ENOENT" && thrown.code !== "ENOTDIR") throw thrown
    throw new AppError("not_found", `There is no text file ${path}.`, "Give the path of a text file.")
  })
  if (!about.isFile()) throw new AppError("bad_input", `${path} is no file.`, "Give the path of a text file.")
  if (about.size > maxTextBytes) {
    throw new AppError("bad_input", `${path} has ${about.size} bytes; at most ${maxTextBytes} are read.`, "Choose a part of the text.")
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path))
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    throw new AppError("bad_file", `${path} is no text in UTF-8.`, "Save it as UTF-8, or choose another file.", { cause: thrown })
  }
}
