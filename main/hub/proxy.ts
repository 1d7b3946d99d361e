// Which way requests take: directly, or through the proxy of the settings or of the environment.
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici"
import { AppError } from "../../shared/schema/error.ts"

const schemes = ["http:", "https:", "socks5:"]
/** A program on this computer is reached without a proxy. */
const here = "localhost,127.0.0.1,[::1]"

/** Throws bad_input where `address` is no proxy that can be used; empty is none. */
export function requireProxy(address: string, where = "the settings"): void {
  const proxy = address.trim()
  if (proxy === "") return
  const url = URL.canParse(proxy) ? new URL(proxy) : null
  // "proxy.example:8080" reads as an address of the scheme "proxy.example:".
  const said = withoutSecrets(proxy)
  if (!url || !/^[a-z][a-z0-9+.-]*:\/\//i.test(proxy))
    throw new AppError("bad_input", `The proxy "${said}" of ${where} is no address.`, "Write it as http://HOST:PORT.")
  if (!schemes.includes(url.protocol)) {
    const hint = "Proxies may be http://, https:// or socks5:// ones."
    throw new AppError("bad_input", `The proxy "${said}" of ${where} is of a kind that is not supported (${url.protocol}//).`, hint)
  }
  if (url.hostname === "")
    throw new AppError("bad_input", `The proxy "${said}" of ${where} names no host.`, "Write it as http://HOST:PORT.")
}

/** For sentences: without the name and the password that an address may hold. */
function withoutSecrets(address: string): string {
  return address.replace(/\/\/.*@/, "//").slice(0, 200)
}

/**
 * Of one configuration. `proxy`: of the settings, for everything; empty: HTTPS_PROXY and HTTP_PROXY. NO_PROXY counts in both cases. Without
 * HTTPS_PROXY, HTTP_PROXY counts for https: addresses, too.
 */
export function dispatcherFor(proxy: string, env: Record<string, string | undefined>): Dispatcher {
  const either = (name: string) => env[name.toLowerCase()]?.trim() || env[name]?.trim() || ""
  const chosen = proxy.trim()
  const httpProxy = chosen || either("HTTP_PROXY")
  const httpsProxy = chosen || either("HTTPS_PROXY")
  requireProxy(httpProxy, chosen ? "the settings" : "HTTP_PROXY")
  requireProxy(httpsProxy, chosen ? "the settings" : "HTTPS_PROXY")
  // Times are watched by those who ask: a paused download is no dead one. Ranges of one file come faster by connections of their own than
  // by streams of one.
  const options = { headersTimeout: 0, bodyTimeout: 0, allowH2: false }
  if (!httpProxy && !httpsProxy) return new Agent(options)
  const noProxy = [either("NO_PROXY"), here].filter((part) => part !== "").join(",")
  return new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy, noProxy })
}
