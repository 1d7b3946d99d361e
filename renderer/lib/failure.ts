// An error as the page shows it, by its code: what it is and what to do, in the page's language. Main's own sentence with the names and
// numbers is always in English and stands below.
import type { ErrorData } from "../../shared/schema/error.ts"
import { ErrorCode, toErrorData } from "../../shared/schema/error.ts"
import { i18n, t } from "./i18n.ts"

/** ErrorData as it comes from records, whose code may be one of a newer Nibble. */
export interface AnyError {
  code: string
  message: string
  hint?: string | undefined
}

export interface Failure {
  title: string
  advice: string
  /** Main's sentence. */
  detail: string
  /** What came behind it: the last lines of a dead process. */
  log: { label: string; text: string } | null
}

export function failureTitle(code: string): string {
  return t(`error.${knownCode(code)}.title`)
}

/** Main's hint knows the case; in another language the advice that fits the code stands first, and the hint behind main's sentence. */
export function describeFailure({ code, message, hint }: AnyError): Failure {
  const isMainsLanguage = i18n.language === "en"
  const [sentence = "", ...lines] = message.split("\n")
  return {
    title: failureTitle(code),
    advice: isMainsLanguage && hint ? hint : t(`error.${knownCode(code)}.advice`),
    detail: hint && !isMainsLanguage ? `${sentence} ${hint}` : sentence,
    log: lines.length > 0 ? { label: t("error.log"), text: lines.join("\n") } : null,
  }
}

function knownCode(code: string): ErrorCode {
  return ErrorCode.catch("internal").parse(code)
}

/** Runs a call whose failure is shown by `show`; being cancelled is no failure. */
export async function attempt<T>(call: () => Promise<T>, show: (error: ErrorData) => void): Promise<T | undefined> {
  try {
    return await call()
  } catch (thrown) {
    const error = toErrorData(thrown)
    if (error.code !== "cancelled") show(error)
    return undefined
  }
}
