// One secret on this computer: in the keychain of the system where the face has one, else in a file that only this user can read.
import { chmod, open, readFile, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "../../shared/schema/error.ts"

export interface SecretStore {
  kind: "keychain" | "file"
  /** null: there is none. */
  read(): Promise<string | null>
  /** null removes it. */
  write(secret: string | null): Promise<void>
}

const longest_bytes = 64 << 10

/** `protect` and `reveal` are the keychain's; absent: the file holds the secret as it is. */
export function createSecretStore(
  folder: string,
  keychain?: { protect(secret: string): Buffer; reveal(bytes: Buffer): string },
): SecretStore {
  const path = join(folder, keychain ? "hub-token.encrypted" : "hub-token.json")
  return {
    kind: keychain ? "keychain" : "file",
    async read() {
      const about = await stat(path).catch(() => null)
      if (!about?.isFile() || about.size > longest_bytes) return null
      // Windows has no such bits; there the folder is the user's own.
      if (!keychain && process.platform !== "win32" && (about.mode & 0o077) !== 0) {
        throw new AppError(
          "no_permission",
          `${path} can be read by others, so the access token in it is not used.`,
          "Change its permissions to 600, or enter the token again.",
        )
      }
      const bytes = await readFile(path)
      if (!keychain) return bytes.toString("utf8")
      try {
        return keychain.reveal(bytes)
      } catch {
        // Made on another computer or for another user: it cannot be had again.
        return null
      }
    },
    async write(secret) {
      if (secret === null) return rm(path, { force: true })
      const temporary = `${path}.new`
      await rm(temporary, { force: true })
      const file = await open(temporary, "wx", 0o600)
      try {
        await file.writeFile(keychain ? keychain.protect(secret) : secret)
        await file.sync()
      } finally {
        await file.close()
      }
      // The umask may have been wider than it is now.
      await chmod(temporary, 0o600)
      await rename(temporary, path)
    },
  }
}
