// Numbers as people read them, in the language of the page: sizes in MiB and GiB with one decimal, tokens/s without decimals over 10,
// durations as "about 3 min".
import type { JobProgress } from "../../shared/schema/job.ts"
import { i18n, t } from "./i18n.ts"

const kib = 1024

const formats = new Map<string, Intl.NumberFormat>()

function number(value: number, decimals: number): string {
  const key = `${i18n.language} ${decimals}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(i18n.language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    formats.set(key, format)
  }
  return format.format(value)
}

export function formatCount(value: number): string {
  return number(value, 0)
}

export function formatDecimal(value: number, decimals: number): string {
  return number(value, decimals)
}

/** "1.3 %"; "< 0.1 %" for what is there but would read as nothing. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.0005) return `< ${number(0.1, 1)} %`
  return `${number(share * 100, 1)} %`
}

/** Three digits that count: "0.412", "8.05", "37.2", "1,240". */
export function formatMagnitude(value: number): string {
  return number(value, value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3)
}

function sizeUnit(bytes: number): { unit: string; size: number; decimals: number } {
  if (bytes >= kib ** 3) return { unit: "GiB", size: kib ** 3, decimals: 1 }
  if (bytes >= kib ** 2 || bytes === 0) return { unit: "MiB", size: kib ** 2, decimals: 1 }
  return { unit: "KiB", size: kib, decimals: 1 }
}

export function formatBytes(bytes: number): string {
  const { unit, size, decimals } = sizeUnit(bytes)
  return `${number(bytes / size, decimals)} ${unit}`
}

export function formatGib(bytes: number, decimals = 1): string {
  return number(bytes / kib ** 3, decimals)
}

/** "135 M", "8.0 B". */
export function formatParameters(parameters: number): string {
  if (parameters >= 1e9) return `${number(parameters / 1e9, 1)} B`
  if (parameters >= 1e6) return `${number(parameters / 1e6, 0)} M`
  return number(parameters, 0)
}

export function formatTokensPerS(rate: number): string {
  return number(rate, rate < 10 ? 1 : 0)
}

/** "0.19 s" */
export function formatSeconds(ms: number): string {
  const seconds = ms / 1000
  return t("time.seconds", { value: number(seconds, seconds < 10 ? 2 : seconds < 100 ? 1 : 0) })
}

/** "about 3 min", from seconds. Rounded coarsely, so that it does not flicker. */
export function formatTimeLeft(seconds: number): string {
  if (seconds < 1) return t("time.moment")
  if (seconds < 10) return t("time.aboutSeconds", { value: number(Math.ceil(seconds), 0) })
  if (seconds < 55) return t("time.aboutSeconds", { value: number(Math.ceil(seconds / 5) * 5, 0) })
  const minutes = Math.max(1, Math.round(seconds / 60))
  if (minutes < 60) return t("time.aboutMinutes", { value: number(minutes, 0) })
  return t("time.aboutHours", { hours: number(Math.floor(minutes / 60), 0), minutes: number(minutes % 60, 0) })
}

/** "31.2 / 87.5 MiB": one unit, that of the total. */
export function formatDone({ done, total, unit }: JobProgress): string {
  if (unit === "fraction") return `${number((total > 0 ? done / total : done) * 100, 0)} %`
  if (unit === "parameters") return total > 0 ? `${number(done / 1e6, 0)} / ${number(total / 1e6, 0)} M` : `${number(done / 1e6, 0)} M`
  if (total <= 0) return formatBytes(done)
  const { unit: name, size, decimals } = sizeUnit(total)
  return `${number(done / size, decimals)} / ${number(total / size, decimals)} ${name}`
}

export function formatRate({ rate, unit }: JobProgress): string {
  if (rate <= 0 || unit === "fraction") return ""
  return unit === "bytes" ? `${formatBytes(rate)}/s` : `${number(rate / 1e6, 0)} M/s`
}

/** Licenses as the hub names them, and as their authors write them: the same in every language. */
const licenses: Record<string, string> = {
  "apache-2.0": "Apache 2.0",
  mit: "MIT",
  "bsd-3-clause": "BSD 3-Clause",
  "cc-by-4.0": "CC BY 4.0",
  "cc-by-sa-4.0": "CC BY-SA 4.0",
  "cc-by-nc-4.0": "CC BY-NC 4.0",
  "cc0-1.0": "CC0 1.0",
  "gpl-3.0": "GPL 3.0",
  "agpl-3.0": "AGPL 3.0",
  "bigscience-openrail-m": "BigScience OpenRAIL-M",
  gemma: "Gemma",
  llama2: "Llama 2",
  llama3: "Llama 3",
  "llama3.1": "Llama 3.1",
  "llama3.2": "Llama 3.2",
  "llama3.3": "Llama 3.3",
}

/** A license that is not in the list stays as it was given. */
export function formatLicense(license: string | null): string {
  if (!license) return t("models.licenseUnknown")
  if (license === "other") return t("models.licenseOther")
  return licenses[license.toLowerCase()] ?? license
}

/** The name of a weight format: ours from the word list, a GGUF block type as the field writes it. */
export function formatName(format: string): string {
  if (i18n.exists(`format.${format}.name`)) return i18n.t(`format.${format}.name` as "format.nf4.name")
  return format.toUpperCase()
}
