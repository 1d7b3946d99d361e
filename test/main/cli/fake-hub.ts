// A model hub on loopback with one repository: a folder of the fixtures under a name.
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

const commit = "0123456789abcdef0123456789abcdef01234567"

export interface FakeHub {
  endpoint: string
  /** Paths that were asked for. */
  asked: string[]
  close(): Promise<void>
}

export interface Trouble {
  /** What is sent in the place of the file's content. */
  change?(file: string, content: Buffer): Buffer
  /** Files of which only the first bytes ever come. */
  stall?: RegExp
}

export async function startHub(name: string, folder: string, { change = (_, it) => it, stall }: Trouble = {}): Promise<FakeHub> {
  const asked: string[] = []
  const files = readdirSync(folder).map((path) => ({ path, content: readFileSync(join(folder, path)) }))
  const entries = files.map(({ path, content }) => ({
    type: "file",
    path,
    size: content.length,
    oid: createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex"),
    ...(path.endsWith(".safetensors") ? { lfs: { oid: createHash("sha256").update(content).digest("hex"), size: content.length } } : {}),
  }))
  const server = createServer((request, response) => {
    const path = request.url ?? ""
    asked.push(path)
    const send = (content: string | Buffer) => response.writeHead(200, { "content-length": Buffer.byteLength(content) }).end(content)
    if (path.startsWith(`/api/models/${name}/revision/`)) return void send(JSON.stringify({ sha: commit }))
    if (path.startsWith(`/api/models/${name}/tree/${commit}`)) return void send(JSON.stringify(entries))
    const file = files.find((one) => path === `/${name}/resolve/${commit}/${one.path}`)
    if (file && stall?.test(file.path)) {
      response.writeHead(200, { "content-length": file.content.length }).write(file.content.subarray(0, 100))
      return
    }
    if (file) return void send(change(file.path, file.content))
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
