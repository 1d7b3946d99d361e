// Ctrl+C asks for an end; a second one does not wait for it. A reader that goes away (`| head`) is an end too, and no failure.

export const cancelledExitCode = 130

export interface Interrupt {
  signal: AbortSignal
}

export function createInterrupt(): Interrupt {
  const abort = new AbortController()
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(cancelledExitCode)
      abort.abort()
    })
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") abort.abort()
      else throw error
    })
  return { signal: abort.signal }
}
