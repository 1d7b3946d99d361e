// An HTTP server of this test on this computer, which notes what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"

export interface Loopback {
  origin: string
  requests: { path: string; range: string | undefined; ifRange: string | string[] | undefined; authorization: string | undefined }[]
}

export async function loopback(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void): Promise<Loopback> {
  const requests: Loopback["requests"] = []
  const server = createServer((request, response) => {
    const { range, authorization } = request.headers
    requests.push({ path: request.url ?? "", range, ifRange: request.headers["if-range"], authorization })
    answer(request, response, requests.length)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

/** The content, or the range of it that is asked for, as a good server does it. */
export function serveRange(request: IncomingMessage, response: ServerResponse, content: Buffer, etag = '"one"'): void {
  const [, first, last] = request.headers.range?.match(/^bytes=(\d+)-(\d*)$/) ?? []
  const from = Number(first ?? 0)
  const to = Math.min(content.length, last ? Number(last) + 1 : content.length)
  const isSame = request.headers["if-range"] === undefined || request.headers["if-range"] === etag
  const isPart = first !== undefined && isSame
  if (from >= content.length && isPart) return void response.writeHead(416, { "content-range": `bytes */${content.length}` }).end()
  const body = isPart ? content.subarray(from, to) : content
  const range = isPart ? { "content-range": `bytes ${from}-${to - 1}/${content.length}` } : {}
  response.writeHead(isPart ? 206 : 200, { etag, "content-length": body.length, ...range }).end(body)
}
