// The value behind the cookie, kept in the data folder so that a tab that is open finds its way back after a restart. Only its owner can read
// the file; one that others could read, or that is old, is replaced.
import { randomBytes } from "node:crypto"
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"

const lifetime_ms = 30 * 24 * 60 * 60 * 1000
const form = /^[A-Za-z0-9_-]{43}$/

async function readSecret(path: string): Promise<string | null> {
  try {
    const { mode, mtimeMs } = await stat(path)
    const isPrivate = process.platform === "win32" || (mode & 0o077) === 0
    const age_ms = Date.now() - mtimeMs
    if (!isPrivate || age_ms > lifetime_ms) return null
    const text = (await readFile(path, "utf8")).trim()
    return form.test(text) ? text : null
  } catch {
    return null
  }
}

export async function sessionSecret(home: string): Promise<string> {
  const path = join(home, "session-secret")
  const known = await readSecret(path)
  if (known) return known
  const secret = randomBytes(32).toString("base64url")
  await mkdir(home, { recursive: true })
  const unfinished = `${path}.${process.pid}.tmp`
  await writeFile(unfinished, `${secret}\n`, { mode: 0o600 })
  await rename(unfinished, path)
  return secret
}
