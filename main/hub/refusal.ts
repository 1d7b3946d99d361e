// What a server's refusal means, as a sentence, and whether another try makes sense.
import { AppError } from "../../shared/schema/error.ts"

/** Wraps an error that may pass. */
export class TryAgain extends Error {
  readonly error: AppError
  /** What the server asked for; null: not said. */
  readonly pause_ms: number | null

  constructor(error: AppError, pause_ms: number | null = null) {
    super(error.message)
    this.error = error
    this.pause_ms = pause_ms
  }
}

/** What of a response matters here. */
export interface Refused {
  status: number
  headers: { get(name: string): string | null }
}

/** `what` is "NAME from HOST". */
export function refusal(response: Refused, what: string): AppError | TryAgain {
  const { status, headers } = response
  // Hubs say more than the status does.
  const reason = headers.get("x-error-code")
  if (reason === "GatedRepo") {
    return new AppError(
      "no_permission",
      `${what} belongs to a gated model (HTTP ${status}).`,
      "Accept its terms on its page, and enter the access token of the same account in the settings, or in HF_TOKEN.",
    )
  }
  if (status === 401 || status === 403) {
    const isUnknown = reason === "RepoNotFound" ? "It is private, or there is none of that name. " : ""
    return new AppError(
      "no_permission",
      `${what} may not be read without permission (HTTP ${status}).`,
      `${isUnknown}Enter an access token that may read it in the settings, or in HF_TOKEN.`,
    )
  }
  if (status === 404 || status === 410) return new AppError("not_found", `${what} is not there (HTTP ${status}).`)
  if (status === 429) {
    const pause_ms = retryAfter(headers.get("retry-after"))
    const when = pause_ms === null ? "later" : `in ${Math.ceil(pause_ms / 1000)} s`
    return new TryAgain(new AppError("network", `${what} was asked for too often (HTTP 429).`, `Try again ${when}.`), pause_ms)
  }
  const error = new AppError("network", `${what} cannot be had (HTTP ${status}).`, "Try again later.")
  return status === 408 || status >= 500 ? new TryAgain(error, retryAfter(headers.get("retry-after"))) : error
}

/** Seconds or a date. */
function retryAfter(value: string | null): number | null {
  if (value === null) return null
  const seconds = Number(value)
  const pause_ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(pause_ms) ? Math.max(0, pause_ms) : null
}
