// One HTTP request whose headers come in time. Redirects are followed here and not by fetch, because a token must not go on to another
// origin (the hub sends downloads to storage that belongs to others) and an encrypted request must not become a plain one.
import { fetch, type Response } from "undici"
import { AppError } from "../../shared/schema/error.ts"
import { type Network, usualNetwork } from "./network.ts"

export interface RequestOptions {
  headers?: Record<string, string>
  /** Value of the Authorization header; sent to the origin of the first address only. */
  authorization?: string | null
  signal: AbortSignal
  /** From the request to the headers of the answer. */
  headers_ms: number
  /** Default: as the environment says. */
  network?: Network | undefined
}

export interface Answer {
  response: Response
  /** Where it came from in the end, as people read it. */
  host: string
  /** Ends the transfer of the body. Call it (or readJson) when done with an answer, however that went. */
  abort(reason?: AppError): void
}

const redirects = new Set([301, 302, 303, 307, 308])
const maxRedirects = 8

export async function request(address: string, options: RequestOptions): Promise<Answer> {
  const { headers = {}, authorization } = options
  const first = parseAddress(address)
  const secret = authorization ?? first.authorization
  let url = first.url
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const sent = secret && url.origin === first.url.origin ? { ...headers, authorization: secret } : headers
    const answer = await once(url, sent, options)
    const location = redirects.has(answer.response.status) ? answer.response.headers.get("location") : null
    if (location === null) return answer
    answer.abort()
    const next = parseAddress(location, url).url
    if (url.protocol === "https:" && next.protocol !== "https:")
      throw new AppError("network", `${url.host} sent this program on to ${next.host} without encryption; that was refused.`)
    url = next
  }
  throw new AppError("network", `${first.url.host} redirected more than ${maxRedirects} times.`)
}

function parseAddress(address: string, base?: URL): { url: URL; authorization: string | null } {
  if (!URL.canParse(address, base?.href))
    throw new AppError("bad_input", `"${address}" is no web address.`, "An address begins with https://.")
  const url = new URL(address, base)
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new AppError("bad_input", `Addresses of the kind "${url.protocol}" are not fetched.`, "An address begins with https://.")
  // fetch refuses names and passwords in an address.
  const { username, password } = url
  url.username = ""
  url.password = ""
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { url, authorization: username ? `Basic ${Buffer.from(plain).toString("base64")}` : null }
}

async function once(
  url: URL,
  headers: Record<string, string>,
  { signal, headers_ms, network = usualNetwork() }: RequestOptions,
): Promise<Answer> {
  if (signal.aborted) throw new AppError("cancelled", "cancelled")
  const controller = new AbortController()
  const cancelled = new AppError("cancelled", "cancelled")
  const cancel = () => controller.abort(cancelled)
  signal.addEventListener("abort", cancel, { once: true })
  const late = new AppError(
    "network",
    `${url.host} did not answer within ${headers_ms / 1000} s.`,
    "Check the network connection and the proxy.",
  )
  const timer = setTimeout(() => controller.abort(late), headers_ms)
  try {
    const response = await fetch(url, { headers, signal: controller.signal, redirect: "manual", dispatcher: network.dispatcher() })
    const abort = (reason = cancelled) => {
      signal.removeEventListener("abort", cancel)
      controller.abort(reason)
    }
    return { response, host: url.host, abort }
  } catch (thrown) {
    signal.removeEventListener("abort", cancel)
    throw networkError(thrown, url.host)
  } finally {
    clearTimeout(timer)
  }
}

/** What fetch threw, before or within the body, as a sentence. */
export function networkError(thrown: unknown, host: string): AppError {
  if (thrown instanceof AppError) return thrown
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  const said = sentences[code] ?? (cause instanceof Error ? cause.message || code : String(cause))
  return new AppError("network", `${host} cannot be reached: ${said}.`, "Check the network connection and the proxy.", { cause: thrown })
}

const sentences: Record<string, string> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  ENOTFOUND: "there is no computer of that name",
  EAI_AGAIN: "the name could not be looked up",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_SOCKET: "the connection was cut",
}

/** Who sends nothing for so long will not send the rest. */
const silence_ms = 20_000

/** The body, if it is not longer than `limit`. */
export async function readBytes({ response, host, abort }: Answer, limit_bytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  const silent = new AppError("network", `${host} stopped in the middle of its answer.`, "Check the network connection and the proxy.")
  const timer = setTimeout(() => abort(silent), silence_ms)
  try {
    for await (const chunk of response.body ?? []) {
      timer.refresh()
      length += chunk.length
      if (length > limit_bytes) throw new AppError("network", `The answer of ${host} is longer than ${limit_bytes} bytes.`)
      chunks.push(chunk)
    }
  } catch (thrown) {
    throw networkError(thrown, host)
  } finally {
    clearTimeout(timer)
    abort()
  }
  return Buffer.concat(chunks)
}

/** The body as JSON, if it is not longer than `limit`. */
export async function readJson(answer: Answer, limit_bytes: number): Promise<unknown> {
  const bytes = await readBytes(answer, limit_bytes)
  try {
    return JSON.parse(bytes.toString("utf8"))
  } catch {
    throw new AppError("network", `${answer.host} did not answer in JSON.`, "A proxy or a sign-in page may be in between.")
  }
}
