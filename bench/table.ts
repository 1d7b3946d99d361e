// The measurements as a Markdown table.
import type { Measurement, Results } from "./results.ts"
import { median, ratio, spread, summarize } from "./statistics.ts"

/** Numbers to the right of columns as wide as their widest cell: as `npm run check` wants tables in Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((cells) => cells[column]?.length ?? 0)))
  const isText = (column: number) => column === 0 || rows.some((cells) => /^[a-z]/i.test(cells[column] ?? ""))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`
  const ruler = widths.map((width, column) => (isText(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))
  return [line(head), line(ruler), ...rows.map(line)].join("\n")
}

/** `reference` is the subject that the others are compared with; null where llama.cpp is not there. */
export function resultsTable({ measurements, bandwidths, reference }: Results): string {
  const parts: string[] = []
  for (const threads of new Set(measurements.map((one) => one.threads))) {
    const those = measurements.filter((one) => one.threads === threads)
    const base = those.find((one) => one.subject === reference)
    const { values } = bandwidths.find((one) => one.threads === threads) ?? { values: [] }
    const head = [
      "model",
      "MB/token",
      "prefill, tokens/s",
      "x",
      "decode, tokens/s",
      "x",
      "of the bandwidth",
      "load, ms",
      "first token, ms",
      "peak, MB",
    ]
    const title = `${threads} ${threads === 1 ? "thread" : "threads"}, memory is read at ${median(values).toFixed(1)} GB/s`
    parts.push(
      `${title}\n\n${markdownTable(
        head,
        those.map((one) => row(one, base, median(values))),
      )}`,
    )
  }
  return parts.join("\n\n")
}

function row(one: Measurement, base: Measurement | undefined, bandwidth: number): string[] {
  const bytes = one.weightBytesPerToken
  const share = bytes === null ? null : (bytes * median(one.decode)) / 1e9 / bandwidth
  return [
    one.subject,
    bytes === null ? "" : (bytes / 1e6).toFixed(1),
    withSpread(one.prefill),
    base ? ratio(one.prefill, base.prefill).toFixed(2) : "",
    withSpread(one.decode),
    base ? ratio(one.decode, base.decode).toFixed(2) : "",
    share === null ? "" : `${(share * 100).toFixed(0)} %`,
    one.loadMs.toFixed(0),
    one.firstTokenMs.toFixed(0),
    one.peakBytes === null ? "" : (one.peakBytes / 1e6).toFixed(0),
  ]
}

function withSpread(values: readonly number[]): string {
  const summary = summarize(values)
  return `${summary.median.toFixed(0)} ± ${(spread(summary) * 100).toFixed(0)} %`
}
