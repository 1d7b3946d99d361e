// Figures of this place as they read: MiB in tables, GiB beside them, signs that line up.
import { formatBytes, formatCount, formatDecimal } from "../../lib/format.ts"

const mib = 2 ** 20

/** "1,204" */
export function mebibytes(bytes: number): string {
  return formatCount(Math.round(bytes / mib))
}

/** With a sign, also when it is more: "+12 MiB", "−0.3 GiB". */
export function signedBytes(bytes: number): string {
  return `${signOf(bytes)}${formatBytes(Math.abs(bytes))}`
}

/** "+2.8", "−0.3" */
export function signedPercent(share: number): string {
  const percent = Math.round(share * 1000) / 10
  return `${signOf(percent)}${formatDecimal(Math.abs(percent), 1)}`
}

function signOf(value: number): string {
  return value > 0 ? "+" : value < 0 ? "−" : ""
}
