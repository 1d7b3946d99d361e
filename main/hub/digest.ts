// What a file must hash to. The hub names large files by SHA-256 and small ones by the hash that git gives their content.
import { createHash } from "node:crypto"

export interface ExpectedDigest {
  algorithm: "sha256" | "git-sha1"
  hex: string
}

export interface RunningDigest {
  update(chunk: Uint8Array): void
  /** Ends it. */
  hex(): string
}

export function startDigest({ algorithm }: ExpectedDigest, bytes: number): RunningDigest {
  const hash = createHash(algorithm === "sha256" ? "sha256" : "sha1")
  // git hashes the kind and the length before the content.
  if (algorithm === "git-sha1") hash.update(`blob ${bytes}\0`)
  return { update: (chunk) => void hash.update(chunk), hex: () => hash.digest("hex") }
}
