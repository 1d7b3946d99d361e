// The files of the built page by address. Addresses are matched against the few characters that the bundler uses, before any decoding, so
// that no spelling of ".." reaches the file system.
import { readFile } from "node:fs/promises"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"

export interface PageFile {
  content: Buffer<ArrayBuffer>
  type: string
  /** The name holds a hash of the content: it may be kept for ever. */
  isHashed: boolean
}

/** dist/page, seen from the bundle (dist/main/…) and from the sources (main/page/…). */
const standardPlace = import.meta.url.endsWith(".ts") ? "../../dist/page" : "../page"

/** NIBBLE_PAGE names another place of the built page, as NIBBLE_ENGINE does for the engine. */
export const pageFolder = process.env.NIBBLE_PAGE || fileURLToPath(new URL(standardPlace, import.meta.url))

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".woff": "font/woff",
  ".txt": "text/plain; charset=utf-8",
}

const plainPath = /^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/
const hashedPath = /^\/assets\/.+-[A-Za-z0-9_-]{8,}\.\w+$/

/** The file that `pathname` (as it came, not decoded) stands for; null where there is none. */
export async function findPageFile(folder: string, pathname: string): Promise<PageFile | null> {
  const path = pathname === "/" ? "/index.html" : pathname
  const type = types[extname(path)]
  if (!type || !plainPath.test(path)) return null
  try {
    return { content: await readFile(join(folder, path)), type, isHashed: hashedPath.test(path) }
  } catch {
    return null
  }
}
