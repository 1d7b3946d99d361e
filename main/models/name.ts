// What a model folder is called and under which license it stands.
import { basename, dirname, join } from "node:path"
import { AppError } from "../../shared/schema/error.ts"
import { readOptionalText } from "./bounded-file.ts"

const maxNameLength = 200
const maxCardBytes = 4 << 20

/** What the configuration remembers, else the folder's name; the hub's cache keeps snapshots under names that are hashes. */
export function folderName(config: Record<string, unknown>, path: string): string {
  const { _name_or_path: remembered } = config
  const tail = typeof remembered === "string" ? remembered.split(/[/\\]/).findLast((part) => !["", ".", ".."].includes(part)) : undefined
  if (tail) return tail.slice(0, maxNameLength)
  const snapshots = dirname(path)
  if (basename(snapshots) !== "snapshots") return basename(path)
  return basename(dirname(snapshots)).split("--").at(-1) || basename(path)
}

/** `license` in the front matter of README.md; null where there is none. */
export async function readLicense(folder: string): Promise<string | null> {
  const text = await readOptionalText(join(folder, "README.md"), maxCardBytes).catch((thrown) => {
    // A model card that cannot be read is no reason not to run the model.
    if (thrown instanceof AppError) return null
    throw thrown
  })
  const card = text === null ? null : /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1]
  if (!card) return null
  const license = field(card, "license")
  return license === "other" ? (field(card, "license_name") ?? license) : license
}

/** A plain value, or the first entry of a list. */
function field(card: string, name: string): string | null {
  const match = new RegExp(`^${name}:[ \\t]*(?:\\r?\\n[ \\t]*- *)?([^\\r\\n]+)`, "m").exec(card)
  const value = match?.[1]?.trim().replace(/^["'[]|["'\]]$/g, "")
  return value ? value.slice(0, maxNameLength) : null
}
