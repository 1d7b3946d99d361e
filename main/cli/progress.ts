// How far something is: a bar on a terminal, a line now and then where the output goes to a file.
import { plainText } from "./plain-text.ts"

export interface Progress {
  /** `fraction` from 0 to 1, or null where the end is not known; `detail` says more. */
  update(fraction: number | null, detail?: string): void
  /** Takes the bar away; `summary` stays. */
  end(summary?: string): void
}

type Stream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number }

/** What is over sooner than this shows no bar, and than line_ms no line. */
const delay_ms = 300
const redraw_ms = 80
const line_ms = 2000
const barWidth = 24

export function createProgress(title: string, stream: Stream | null, now: () => number = performance.now.bind(performance)): Progress {
  if (!stream) return { update() {}, end() {} }
  const isTerminal = stream.isTTY === true
  const start = now()
  let isShown = false
  let nextAt = start + (isTerminal ? delay_ms : line_ms)
  return {
    update(fraction, detail = "") {
      const at = now()
      if (at < nextAt) return
      nextAt = at + (isTerminal ? redraw_ms : line_ms)
      const percent = fraction === null ? "" : ` ${String(Math.floor(clamp(fraction) * 100)).padStart(3)} %`
      const rest = detail ? ` · ${detail}` : ""
      if (isTerminal) {
        const line = `${title}${fraction === null ? "" : ` ${bar(clamp(fraction))}`}${percent}${rest}`
        stream.write(`\r\x1b[2K${plainText(line).slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`)
      } else stream.write(`${plainText(`${title}${percent}${rest}`)}\n`)
      isShown = true
    },
    end(summary) {
      if (isTerminal && isShown) stream.write("\r\x1b[2K")
      isShown = false
      if (summary) stream.write(`${summary}\n`)
    },
  }
}

const clamp = (fraction: number) => Math.min(1, Math.max(0, fraction))

function bar(fraction: number): string {
  const full = Math.round(fraction * barWidth)
  return `${"█".repeat(full)}${"░".repeat(barWidth - full)}`
}
