// An error as the page shows it: a title by its code in the page's language, and main's own sentence with the names and numbers.
import type { ErrorCode, ErrorData } from "../../shared/schema/error.ts"
import { toErrorData } from "../../shared/schema/error.ts"
import { i18n, t } from "./i18n.ts"

export function failureTitle(code: ErrorCode | string): string {
  return i18n.exists(`error.${code}`) ? t(`error.${code}` as "error.internal") : t("error.internal")
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
