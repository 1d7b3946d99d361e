// Folders and models of this computer, for the file picker.
import { readdir, stat } from "node:fs/promises"
import { homedir } from "node:os"
import { dirname, isAbsolute, join, resolve } from "node:path"
import type { AppContract, FolderEntry } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError, toErrorData } from "../../shared/schema/error.ts"

export type Classify = (path: string) => Promise<"model-folder" | "gguf" | "folder" | null>

/** A folder with more is not one that somebody picks from. */
const mostEntries = 5000
const atOnce = 32

export function createFiles({ classify, home = homedir() }: { classify: Classify; home?: string }): {
  handlers: Pick<Handlers<AppContract>, "files.list">
} {
  return {
    handlers: {
      async "files.list"({ path: asked }) {
        if (asked !== null && !isAbsolute(asked))
          throw new AppError("bad_input", `"${asked}" is no whole path.`, "A whole path begins at the root.")
        const path = resolve(asked ?? home)
        const names = (await listed(path)).filter((name) => !name.startsWith(".")).slice(0, mostEntries)
        const entries: FolderEntry[] = []
        for (let at = 0; at < names.length; at += atOnce) {
          const some = await Promise.all(names.slice(at, at + atOnce).map((name) => entryOf(path, name, classify)))
          entries.push(...some.filter((entry) => entry !== null))
        }
        entries.sort((a, b) => Number(a.kind === "gguf") - Number(b.kind === "gguf") || byName.compare(a.name, b.name))
        const parent = dirname(path)
        return { path, parent: parent === path ? null : parent, entries }
      },
    },
  }
}

const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" })

async function listed(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (thrown) {
    const { code, message } = toErrorData(thrown)
    if (code === "no_permission") throw new AppError(code, `The folder ${path} may not be read by this user.`, "Choose another folder.")
    if (code === "not_found") throw new AppError(code, `There is no folder ${path}.`, "Choose another folder.")
    throw new AppError(code, `The folder ${path} cannot be read: ${message}`)
  }
}

async function entryOf(folder: string, name: string, classify: Classify): Promise<FolderEntry | null> {
  const path = join(folder, name)
  const kind = await classify(path)
  if (kind === null) return null
  const bytes =
    kind === "gguf"
      ? await stat(path).then(
          (found) => found.size,
          () => 0,
        )
      : 0
  return { name, path, kind, bytes }
}
