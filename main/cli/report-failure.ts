// How a command that did not get done ends: a sentence and what to do about it, or the same as JSON, and the exit code.
import { cancelledExitCode } from "./interrupt.ts"
import { plainText } from "./plain-text.ts"
import { UsageError } from "./usage-error.ts"

interface Failure {
  code: string
  message: string
  hint?: string
}

async function classifyFailure(thrown: unknown): Promise<{ failure: Failure; exitCode: number }> {
  if (thrown instanceof UsageError) {
    const { message, hint } = thrown
    return { failure: { code: "bad_input", message, ...(hint ? { hint } : {}) }, exitCode: 2 }
  }
  // Loaded here only: the command line starts faster without zod.
  const { toErrorData } = await import("../../shared/schema/error.ts")
  const failure = toErrorData(thrown)
  if (failure.code === "cancelled") return { failure: { code: "cancelled", message: "Cancelled." }, exitCode: cancelledExitCode }
  return { failure, exitCode: 1 }
}

/** Returns the exit code. */
export async function reportFailure(thrown: unknown, { isJson, isVerbose }: { isJson: boolean; isVerbose: boolean }): Promise<number> {
  const { failure, exitCode } = await classifyFailure(thrown)
  if (isJson) process.stdout.write(`${JSON.stringify({ error: failure })}\n`)
  else process.stderr.write(`${plainText(failure.message)}${failure.hint ? `\n${plainText(failure.hint)}` : ""}\n`)
  if (isVerbose && thrown instanceof Error) process.stderr.write(`${failure.code}: ${thrown.stack ?? thrown.message}\n`)
  return exitCode
}
