// From where a request comes. A name that someone else's DNS points to this computer (DNS rebinding) is no name of ours, and a page of
// another origin may not open our socket, cookie or not.
import { isIP } from "node:net"
import { hostname } from "node:os"

const hostHeader = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i
const loopback = ["localhost", "127.0.0.1", "::1"]

export const isLoopback = (host: string): boolean => loopback.includes(host) || /^127(\.\d{1,3}){3}$/.test(host)

/** The name in a Host header without its port; null when the header is not well formed. */
function nameOf(header: string): string | null {
  const name = hostHeader.exec(header)?.[1]
  return name ? name.replace(/^\[|\]$/g, "").toLowerCase() : null
}

/**
 * Whether a Host header names a server that listens on `bound`. The port is not looked at: behind an SSH tunnel it is another one.
 * On an open address only numbers, the name of this computer and `bound` itself count: a rebound name is none of these.
 */
export function isOwnHost(header: string | undefined, bound: string): boolean {
  const name = header === undefined ? null : nameOf(header)
  if (!name) return false
  if (loopback.includes(name) || name === bound.toLowerCase()) return true
  return !isLoopback(bound) && (isIP(name) !== 0 || name === hostname().toLowerCase())
}

/** Whether an Origin header names the page that the server at `host` (a Host header) gave out. */
export const isOwnOrigin = (origin: string | undefined, host: string): boolean => origin?.toLowerCase() === `http://${host.toLowerCase()}`
