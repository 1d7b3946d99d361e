// A model hub on this computer with one repository: listing, commits, downloads.
import { createHash } from "node:crypto"
import { type Loopback, loopback, serveRange } from "./loopback.ts"

export const commit = "0123456789abcdef0123456789abcdef01234567"

export interface FakeHub extends Loopback {
  files: Record<string, Buffer>
}

/** Files that end in .safetensors are kept as large files are. `spoil` may answer in the place of the hub. */
export async function fakeHub(
  repository: string,
  files: Record<string, Buffer>,
  spoil?: (...call: Parameters<Parameters<typeof loopback>[0]>) => boolean,
): Promise<FakeHub> {
  const server = await loopback((request, response, count) => {
    if (spoil?.(request, response, count)) return
    const path = decodeURIComponent(request.url ?? "")
    const json = (value: unknown) => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value))
    if (path === `/api/models/${repository}/revision/main`) return json({ sha: commit })
    if (path === `/api/models/${repository}/tree/${commit}`)
      return json(Object.entries(files).map(([name, content]) => entry(name, content)))
    const content = files[path.replace(`/${repository}/resolve/${commit}/`, "")]
    if (content) return serveRange(request, response, content)
    response.writeHead(404).end()
  })
  return { ...server, files }
}

function entry(path: string, content: Buffer) {
  const size = content.length
  if (path.endsWith(".safetensors"))
    return { type: "file", path, size: 134, oid: "f".repeat(40), lfs: { oid: createHash("sha256").update(content).digest("hex"), size } }
  return { type: "file", path, size, oid: createHash("sha1").update(`blob ${size}\0`).update(content).digest("hex") }
}
