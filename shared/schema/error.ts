// Errors as data. The codes are those of native/core/error_codes.def plus "engine_lost".
import { z } from "zod"

export const ErrorCode = z.enum([
  "bad_input",
  "bad_file",
  "not_found",
  "no_space",
  "no_permission",
  "out_of_memory",
  "unsupported",
  "busy",
  "network",
  "cancelled",
  "device_lost",
  "internal",
  "engine_lost",
])
export type ErrorCode = z.infer<typeof ErrorCode>

/** What crosses a process border: a sentence with the names and numbers, and where it helps, what to do. */
export const ErrorData = z.object({ code: ErrorCode, message: z.string(), hint: z.string().optional() })
export type ErrorData = z.infer<typeof ErrorData>

export class AppError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options)
    this.name = "AppError"
    this.code = code
    this.hint = hint
  }
}

/** Any thrown value as data: our own errors keep code and hint, known system errors get theirs, the rest is "internal". */
export function toErrorData(thrown: unknown): ErrorData {
  if (thrown instanceof AppError) return { code: thrown.code, message: thrown.message, ...(thrown.hint ? { hint: thrown.hint } : {}) }
  if (thrown instanceof z.ZodError) {
    return { code: "bad_input", message: thrown.issues.map((issue) => `${issue.path.join(".") || "value"}: ${issue.message}`).join("; ") }
  }
  if (thrown instanceof Error) {
    const code = ErrorCode.safeParse((thrown as { code?: unknown }).code)
    if (code.success) return { code: code.data, message: thrown.message }
    const system = systemCodes[(thrown as { code?: string }).code ?? ""]
    if (system) return { code: system, message: thrown.message }
    if (thrown.name === "AbortError") return { code: "cancelled", message: "cancelled" }
    return { code: "internal", message: thrown.message }
  }
  return { code: "internal", message: String(thrown) }
}

const systemCodes: Record<string, ErrorCode> = {
  ENOENT: "not_found",
  ENOTDIR: "not_found",
  ENOSPC: "no_space",
  EDQUOT: "no_space",
  EACCES: "no_permission",
  EPERM: "no_permission",
  EROFS: "no_permission",
  EADDRINUSE: "busy",
  EBUSY: "busy",
  ENOMEM: "out_of_memory",
  ECONNREFUSED: "network",
  ECONNRESET: "network",
  ENOTFOUND: "network",
  ETIMEDOUT: "network",
  EAI_AGAIN: "network",
}
