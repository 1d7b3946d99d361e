// Where words go: results to standard output, everything else to standard error.
import { plainText } from "./plain-text.ts"
import { createProgress, type Progress } from "./progress.ts"

export interface Output {
  readonly isJson: boolean
  readonly isQuiet: boolean
  readonly isVerbose: boolean
  /** Human text on standard output, as it is where that is no terminal; nothing with --json. */
  write(text: string): void
  /** The same with an end of line. */
  line(text?: string): void
  /** A remark on standard error; nothing with --quiet. */
  say(text: string): void
  /** What should be known even with --quiet. */
  warn(text: string): void
  progress(title: string): Progress
}

export interface Streams {
  out: NodeJS.WritableStream & { isTTY?: boolean }
  error: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
}

export function createOutput(options: { json: boolean; quiet: boolean; verbose: boolean }, { out, error }: Streams): Output {
  const write = (text: string) => {
    if (!options.json) out.write(out.isTTY ? plainText(text) : text)
  }
  const remark = (text: string) => void error.write(`${plainText(text)}\n`)
  return {
    isJson: options.json,
    isQuiet: options.quiet,
    isVerbose: options.verbose,
    write,
    line: (text = "") => write(`${text}\n`),
    say: (text) => {
      if (!options.quiet) remark(text)
    },
    warn: remark,
    progress: (title) => createProgress(title, options.quiet ? null : error),
  }
}
