// Names of files as a hub says them, before they are used as names on this computer: the hub may be anybody's.
import { AppError } from "../../shared/schema/error.ts"

/** Names that Windows keeps for devices. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i
/** Names of our own beside a file. */
const ours = /\.part(\.json)?$/i
const longest = 200

/** Throws bad_file where one of them is no plain file name on every system, or two are the same where the case does not count. */
export function requireFileNames(names: string[]): void {
  const seen = new Map<string, string>()
  for (const name of names) {
    // A leading dot or dash, a colon or a slash of either kind, control characters: none of them is in the names of models.
    const isPlain = /^[A-Za-z0-9_][\w.+ -]*$/.test(name) && !/[. ]$/.test(name) && name.length <= longest
    if (!isPlain || reserved.test(name) || ours.test(name))
      throw new AppError("bad_file", `${JSON.stringify(name.slice(0, longest))} is no name that a file of a model may have.`)
    const same = seen.get(name.toLowerCase())
    if (same !== undefined) throw new AppError("bad_file", `${same} and ${name} would be the same file on some computers.`)
    seen.set(name.toLowerCase(), name)
  }
}
