// A model hub of our own on loopback, for tests: real HTTP, the addresses and answers of the public hub as far as this program asks for
// them, large files by redirect from a second origin, and everything that can go wrong. Not part of the program.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { Faults, faultOf, sendBody } from "./faults.ts"
import { gitHash, type HubRepository, isLarge, makeRepository, modelInfo, type RepositoryWish, sha256, treeEntry } from "./repository.ts"

export interface HubRequest {
  /** "hub", or the origin that large files come from. */
  server: "hub" | "storage"
  method: string
  path: string
  range: string | undefined
  authorization: string | undefined
}

export interface TestHub {
  endpoint: string
  /** The origin that large files come from. */
  storage: string
  repositories: Map<string, HubRepository>
  faults: Faults
  /** All that was asked, in order. */
  requests: HubRequest[]
  /** Of each answer with a file's content; 0 = as fast as it goes. May be changed at any time. */
  bytesPerSecond: number
  close(): Promise<void>
}

export interface TestHubOptions {
  repositories: RepositoryWish[]
  /** Whose token is right, and who has it. What is gated or private is given to no other. */
  account?: { token: string; name: string }
  bytesPerSecond?: number
  port?: number
}

export async function startHub({ repositories, account, bytesPerSecond = 0, port = 0 }: TestHubOptions): Promise<TestHub> {
  const requests: HubRequest[] = []
  const faults = new Faults()
  const known = new Map(repositories.map((wish) => [wish.name, makeRepository(wish)]))
  const note = (server: HubRequest["server"], { method = "GET", url = "/", headers }: IncomingMessage) =>
    requests.push({ server, method, path: url, range: headers.range, authorization: headers.authorization })

  const hub: TestHub = { endpoint: "", storage: "", repositories: known, faults, requests, bytesPerSecond, close: () => closeAll(servers) }
  const storage = createServer((request, response) => {
    note("storage", request)
    void answerFromStorage(hub, request, response)
  })
  const front = createServer((request, response) => {
    note("hub", request)
    void answer(hub, account, request, response)
  })
  const servers = [front, storage]
  hub.storage = await listen(storage, 0)
  hub.endpoint = await listen(front, port)
  return hub
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

async function closeAll(servers: Server[]): Promise<void> {
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    ),
  )
}

function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value))
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { "content-type": "application/json", "x-error-code": code, "x-error-message": message })
  response.end(JSON.stringify({ error: message }))
}

type Account = TestHubOptions["account"]

async function answer(hub: TestHub, account: Account, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", hub.endpoint)
  const path = decodeURIComponent(url.pathname)
  const file = path.match(/^\/[^/]+\/[^/]+\/resolve\/[^/]+\/(.+)$/)?.[1] ?? null
  // Those that name a large file act where its bytes come from.
  const active = hub.faults.take(url.pathname + url.search, file !== null && isLarge(file) ? null : file)
  const slow = faultOf(active, "slow-start")
  if (slow) await sleep(slow.ms)
  const status = faultOf(active, "status")
  if (status) return void response.writeHead(status.status, status.headers).end()
  if (path === "/api/whoami-v2") return whoAmI(account, request, response)
  if (path === "/api/models") return listModels(hub, account, url, request, response)

  const [, , name = ""] = path.match(/^\/(api\/models\/)?([^/]+\/[^/]+)(?=\/|$)/) ?? []
  const repository = hub.repositories.get(name)
  const mayRead = account !== undefined && request.headers.authorization === `Bearer ${account.token}`
  const hasToken = request.headers.authorization !== undefined
  if (!repository || (repository.access === "private" && !mayRead))
    return refuse(response, hasToken ? 404 : 401, "RepoNotFound", "Repository not found")
  if (path === `/api/models/${name}`) return sendJson(response, modelInfo(repository))
  const rest = path.slice(path.indexOf(name) + name.length)
  const revision = rest.match(/^\/(?:revision|tree|resolve)\/([^/]+)/)?.[1]
  if (revision !== undefined && revision !== "main" && revision !== repository.revision)
    return refuse(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`)
  if (rest.startsWith("/revision/")) return sendJson(response, modelInfo(repository))
  if (rest.startsWith("/tree/")) {
    return sendJson(
      response,
      [...repository.files].map(([one, content]) => treeEntry(one, content)),
    )
  }
  if (file === null) return refuse(response, 404, "EntryNotFound", "Entry not found")
  if (repository.access === "gated" && !mayRead)
    return refuse(response, hasToken ? 403 : 401, "GatedRepo", `Access to model ${name} is restricted`)
  const content = repository.files.get(file)
  if (!content) return refuse(response, 404, "EntryNotFound", "Entry not found")
  const about = { "x-repo-commit": repository.revision, "accept-ranges": "bytes" }
  if (!isLarge(file)) return sendContent(hub, request, response, content, { ...about, etag: `"${gitHash(content)}"` }, active)
  const etag = `"${sha256(content)}"`
  const location = `${hub.storage}/${name}/${encodeURIComponent(file)}?signature=for-an-hour`
  response.writeHead(302, { ...about, location, "x-linked-size": content.length, "x-linked-etag": etag }).end()
}

async function answerFromStorage(hub: TestHub, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", hub.storage)
  const [, name = "", file = ""] = decodeURIComponent(url.pathname).match(/^\/([^/]+\/[^/]+)\/(.+)$/) ?? []
  const content = hub.repositories.get(name)?.files.get(file)
  if (!content || url.searchParams.get("signature") !== "for-an-hour") return void response.writeHead(403).end()
  const active = hub.faults.take(`/storage/${name}/${file}`, file)
  const slow = faultOf(active, "slow-start")
  if (slow) await sleep(slow.ms)
  const status = faultOf(active, "status")
  if (status) return void response.writeHead(status.status, status.headers).end()
  await sendContent(hub, request, response, content, { etag: `"${sha256(content)}"`, "accept-ranges": "bytes" }, active)
}

async function sendContent(
  hub: TestHub,
  request: IncomingMessage,
  response: ServerResponse,
  whole: Buffer,
  headers: Record<string, string>,
  active: ReturnType<Faults["take"]>,
): Promise<void> {
  const corrupt = faultOf(active, "corrupt")
  const content = corrupt ? flipped(whole, corrupt.at) : whole
  const ifRange = request.headers["if-range"]
  const wanted = faultOf(active, "no-ranges") || (ifRange !== undefined && ifRange !== headers.etag) ? undefined : request.headers.range
  const [, from, to] = wanted?.match(/^bytes=(\d+)-(\d*)$/) ?? []
  const first = from === undefined ? 0 : Number(from)
  const last = Math.min(to ? Number(to) : content.length - 1, content.length - 1)
  if (from !== undefined && (first >= content.length || last < first))
    return void response.writeHead(416, { "content-range": `bytes */${content.length}` }).end()
  const by = faultOf(active, "length")?.by ?? 0
  const part = content.subarray(first, last + 1)
  const body = by > 0 ? Buffer.concat([part, Buffer.alloc(by)]) : part.subarray(0, part.length + by)
  const range = from === undefined ? {} : { "content-range": `bytes ${first}-${last}/${content.length}` }
  response.writeHead(from === undefined ? 200 : 206, { ...headers, "content-length": body.length, ...range })
  if (request.method === "HEAD") return void response.end()
  await sendBody(response, body, active, hub.bytesPerSecond)
}

function flipped(content: Buffer, at: number): Buffer {
  const copy = Buffer.from(content)
  copy[at] = (copy[at] ?? 0) ^ 0xff
  return copy
}

function whoAmI(account: Account, request: IncomingMessage, response: ServerResponse): void {
  if (!account || request.headers.authorization !== `Bearer ${account.token}`)
    return void refuse(response, 401, "InvalidToken", "Invalid credentials in Authorization header")
  sendJson(response, { type: "user", name: account.name, fullname: account.name, auth: { type: "access_token" } })
}

/** Search as the public hub does it: words in the name, tags as filters, pages by a cursor in the Link header. */
function listModels(hub: TestHub, account: Account, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const mayRead = account !== undefined && request.headers.authorization === `Bearer ${account.token}`
  const words = (url.searchParams.get("search") ?? "").toLowerCase().split(/\s+/).filter(Boolean)
  const tags = url.searchParams.getAll("filter").flatMap((filter) => filter.split(","))
  const author = url.searchParams.get("author")
  const sort = url.searchParams.get("sort") ?? "trendingScore"
  const limit = Number(url.searchParams.get("limit") ?? 50)
  const skipped = Number(url.searchParams.get("cursor") ?? 0)
  const found = [...hub.repositories.values()]
    .filter(({ access }) => access !== "private" || mayRead)
    .map(modelInfo)
    .filter(({ id }) => words.every((word) => id.toLowerCase().includes(word)))
    .filter((info) => tags.every((tag) => info.tags.includes(tag)) && (author === null || info.author === author))
    .sort((a, b) => order(b, sort) - order(a, sort))
  const rest = new URL(url)
  rest.searchParams.set("cursor", String(skipped + limit))
  const hasMore = found.length > skipped + limit
  sendJson(response, found.slice(skipped, skipped + limit), hasMore ? { link: `<${rest.href}>; rel="next"` } : {})
}

function order(info: ReturnType<typeof modelInfo>, sort: string): number {
  if (sort === "lastModified" || sort === "createdAt") return Date.parse(info.lastModified)
  return sort === "downloads" ? info.downloads : info.likes
}
