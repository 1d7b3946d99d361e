// Who may see the page: a link with a token that works once sets a cookie, and from then on the cookie counts.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"

export interface Session {
  /** True once for the newest token. */
  redeem(token: string): boolean
  /** Whether a request with this Cookie header comes from a browser that redeemed a token. */
  isKnown(cookieHeader: string | undefined): boolean
  /** The Set-Cookie value for a browser that did. */
  readonly setCookie: string
  /** A token for another browser; one that was given before and not used loses its worth. */
  newToken(): string
}

const digest = (text: string) => createHash("sha256").update(text).digest()
const isEqual = (a: string, b: string) => timingSafeEqual(digest(a), digest(b))

export function createSession(secret: string): Session {
  // Cookies are shared by all ports of an address: servers of two data folders must not overwrite each other's.
  const cookieName = `nibble-${digest(secret).toString("hex").slice(0, 12)}`
  let token: string | null = null
  return {
    setCookie: `${cookieName}=${secret}; Path=/; HttpOnly; SameSite=Strict`,
    redeem(given) {
      if (!token || !isEqual(given, token)) return false
      token = null
      return true
    },
    isKnown(cookieHeader = "") {
      const values = cookieHeader.split(";").flatMap((pair) => {
        const [name, value] = pair.trim().split("=", 2)
        return name === cookieName && value ? [value] : []
      })
      return values.some((value) => isEqual(value, secret))
    },
    newToken() {
      token = randomBytes(24).toString("base64url")
      return token
    },
  }
}
