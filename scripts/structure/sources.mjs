// Reads the sources for the structure check: what there is, how long it is, and what it imports or includes.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, posix } from "node:path"

export const areas = ["native", "main", "renderer", "shared", "test", "bench", "scripts"]
const readable = /\.(ts|tsx|mjs|css|cc|h|cu|cuh|def|inl)$/

export const isUnder = (path, folder) => path === folder || path.startsWith(`${folder}/`)

function* walk(root, folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!["node_modules", "__pycache__"].includes(entry.name)) yield* walk(root, path)
    } else yield path
  }
}

/**
 * Every file of the areas: `{ path, bytes, lines, text, code, uses }`. `code` is the text without comments; `uses` lists
 * `{ module, path }`, where `path` is the file of ours that is meant, or null for a package or a system header.
 * Files that are not source have no text.
 */
export function readSources(root, notRead) {
  return areas
    .filter((area) => existsSync(join(root, area)))
    .flatMap((area) => [...walk(root, area)])
    .map((path) => {
      const bytes = statSync(join(root, path)).size
      if (!readable.test(path) || notRead.some((folder) => isUnder(path, folder)))
        return { path, bytes, lines: 0, text: "", code: "", uses: [] }
      const text = readFileSync(join(root, path), "utf8")
      const code = withoutComments(text)
      const uses = /\.(ts|tsx|mjs)$/.test(path) ? imports(path, code) : includes(root, path, code)
      return { path, bytes, lines: text.split("\n").length - 1, text, code, uses }
    })
}

/** Strings are matched first, so that "//" inside one is no comment. */
function withoutComments(text) {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, string) => string ?? " ",
  )
}

function imports(path, code) {
  const pattern =
    /(?<![\w.$"'])(?:import|export)\b[^"'`;=()]*?\bfrom\s*["']([^"']+)["']|(?<![\w.$"'])import\s*["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']/g
  return [...code.matchAll(pattern)].map((match) => {
    const module = match[1] ?? match[2] ?? match[3]
    const file = module.split("?")[0]
    return { module, path: file.startsWith(".") ? posix.join(dirname(path), file) : null }
  })
}

function includes(root, path, code) {
  return [...code.matchAll(/^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)/gm)].map((match) => {
    const module = match[1] ?? match[2]
    const candidates = [posix.join(dirname(path), module), posix.join("native", module), posix.join("test/native", module), module]
    return { module, path: candidates.find((candidate) => existsSync(join(root, candidate))) ?? null }
  })
}
