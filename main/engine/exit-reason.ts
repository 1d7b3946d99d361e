// What ended the engine host, as a sentence.

const keptLines = 20

/** The last lines of a stream of text. */
export function createLogTail(): { add(text: string): void; lines(): string[] } {
  let lines: string[] = []
  let rest = ""
  return {
    add(text) {
      const parts = (rest + text).split(/\r?\n/)
      // A line without an end must not grow for ever.
      rest = (parts.pop() ?? "").slice(-4000)
      lines = [...lines, ...parts.filter((line) => line.trim() !== "")].slice(-keptLines)
    },
    lines: () => (rest.trim() === "" ? lines : [...lines, rest].slice(-keptLines)),
  }
}

const signals: Record<string, string> = {
  SIGKILL: "was killed by signal 9: the system ended it, mostly for lack of memory",
  SIGSEGV: "crashed (signal 11, a memory fault)",
  SIGBUS: "crashed (signal 7, a file that it had mapped became shorter or could not be read)",
  SIGABRT: "aborted (signal 6)",
  SIGILL: "crashed (signal 4, an instruction that this processor does not have)",
  SIGFPE: "crashed (signal 8, an arithmetic fault)",
  SIGTERM: "was ended by signal 15",
}

export function describeExit(code: number | null, signal: string | null, log: string[]): string {
  const what = signal === null ? `ended with exit code ${code ?? "unknown"}` : (signals[signal] ?? otherReason(signal))
  return `The engine ${what}.${log.length > 0 ? ` Its last lines:\n${log.join("\n")}` : ""}`
}

/** Another signal, or what the system said when it could not start the process. */
function otherReason(reason: string): string {
  return reason.startsWith("SIG") ? `was ended by ${reason}` : `could not be started: ${reason}`
}
