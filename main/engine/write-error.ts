// Errors of the system say what was done to which file, but not what for.
import { AppError, toErrorData } from "../../shared/schema/error.ts"

export function explainWriting(error: unknown, out: string): unknown {
  const systemCode = (error as NodeJS.ErrnoException)?.code
  if (error instanceof AppError || typeof systemCode !== "string" || !/^E[A-Z]+$/.test(systemCode)) return error
  const { code, message } = systemError(error as NodeJS.ErrnoException)
  const hints = {
    no_space: "Free some space, or choose a folder on another disk.",
    no_permission: "Choose a folder that you may write to.",
  }
  return new AppError(code, `The quantized model cannot be written to ${out}: ${message}`, hints[code as keyof typeof hints], {
    cause: error,
  })
}

function systemError(error: NodeJS.ErrnoException) {
  // A limit on the size of files is room that is not there all the same.
  if (error.code === "EFBIG") return { code: "no_space" as const, message: error.message }
  if (error.code === "EEXIST" || error.code === "ENAMETOOLONG") return { code: "bad_input" as const, message: error.message }
  return toErrorData(error)
}
