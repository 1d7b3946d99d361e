// What to do about a plan, and when something else than a bitsandbytes format would serve better, with the figures of the model and the
// computer at hand. What is wrong now comes first: memory, then speed, then accuracy. The page and the command line have the sentences.
import type { Format } from "../../shared/schema/format.ts"
import type { PlanAdvice, PlanChoice, PlanDevice, PlanRequest } from "../../shared/schema/plan.ts"
import { byQuality } from "./quality-figures.ts"
import { spareOf } from "./recommend.ts"

export interface AdviceFacts {
  /** All that the model can be had in, the one that it is stored in first. */
  rows: readonly PlanChoice[]
  row: PlanChoice
  request: Pick<PlanRequest, "mode" | "embeddings" | "blockSize">
  devices: readonly PlanDevice[]
  /** null: of another computer; else whether its benchmark has run. */
  isSpeedMeasured: boolean | null
  /** Its tensor cores multiply FP8. */
  hasFp8: boolean
}

/** Slower than people read. */
const slow_perS = 5
/** Of next tokens that change: more than that is noticed. */
const low_share = 0.9
/** A format that is called faster is so by a third. */
const clearlyFaster = 1.33

export function adviceOn(facts: AdviceFacts): PlanAdvice[] {
  const list = [...memoryAdvice(facts), ...speedAdvice(facts), ...accuracyAdvice(facts), ...loadingAdvice(facts), ...formatAdvice(facts)]
  return [...list.filter(({ isPressing }) => isPressing), ...list.filter(({ isPressing }) => !isPressing)]
}

const isPlain = (format: Format) => /^(fp32|fp16|bf16)$/.test(format)
const isFourBit = (format: Format) => /^(nf4|fp4)/.test(format)
const better = (a: Format, b: Format) => byQuality.indexOf(a) < byQuality.indexOf(b)

function memoryAdvice({ rows, row, devices, request }: AdviceFacts): PlanAdvice[] {
  if (row.fits) return []
  const missingBytes = Math.max(0, -spareOf(row, devices))
  const about = { topic: "memory", isPressing: true } as const
  const list: PlanAdvice[] = []
  const fitting = rows.filter((one) => one.fits).toSorted((a, b) => byQuality.indexOf(a.format) - byQuality.indexOf(b.format))
  const [best] = fitting
  if (best) {
    const figures = { neededBytes: row.total_bytes, missingBytes, thenBytes: best.total_bytes }
    list.push({ ...about, code: "smaller_format", format: best.format, figures })
  }
  // Where the cache alone would make room.
  if (request.mode === "chat" && row.parts.kv > missingBytes && missingBytes > 0) {
    const figures = {
      missingBytes,
      kvBytes: row.parts.kv,
      context: row.context,
      tokens: Math.ceil(missingBytes / Math.max(1, row.kv_bytes_per_token)),
    }
    list.push({ ...about, code: "shorter_context", format: null, figures })
  }
  if (!best) {
    const smallest = rows.reduce((least, one) => (one.total_bytes < least.total_bytes ? one : least), row)
    const figures = { neededBytes: smallest.total_bytes, missingBytes: Math.max(0, -spareOf(smallest, devices)) }
    list.push({ ...about, code: "smaller_model", format: smallest.format, figures })
    list.push({ ...about, code: "other_computer", format: smallest.format, figures })
  }
  return list
}

function speedAdvice({ rows, row, isSpeedMeasured }: AdviceFacts): PlanAdvice[] {
  const list: PlanAdvice[] = []
  const diskBytes = row.devices.filter(({ kind }) => kind === "disk").reduce((sum, { used_bytes }) => sum + used_bytes, 0)
  if (diskBytes > 0) list.push({ code: "slow_from_disk", topic: "speed", isPressing: true, format: null, figures: { diskBytes } })
  if (isSpeedMeasured === false) list.push({ code: "measure_speed", topic: "speed", isPressing: false, format: null, figures: {} })
  if (!row.speed) return list
  const nowPerS = row.speed.tokensPerS
  const faster = rows
    .filter(({ fits, speed }) => fits && speed && speed.tokensPerS >= nowPerS * clearlyFaster)
    .toSorted((a, b) => byQuality.indexOf(a.format) - byQuality.indexOf(b.format))
  const [first] = faster
  if (first?.speed && nowPerS < slow_perS) {
    const figures = { nowPerS, thenPerS: first.speed.tokensPerS }
    list.push({ code: "faster_format", topic: "speed", isPressing: true, format: first.format, figures })
  }
  return list
}

function accuracyAdvice({ rows, row, request }: AdviceFacts): PlanAdvice[] {
  if (!row.quality || row.quality.basis === "reference") return []
  const nowShare = row.quality.sameTopToken
  const about = { topic: "accuracy", isPressing: nowShare < low_share } as const
  const list: PlanAdvice[] = []
  const more = rows
    .filter((one) => one.fits && one.quality && one.quality.sameTopToken > nowShare && better(one.format, row.format))
    .toSorted((a, b) => a.total_bytes - b.total_bytes)[0]
  if (more?.quality) {
    const figures = {
      nowShare,
      thenShare: more.quality.sameTopToken,
      moreBytes: more.total_bytes - row.total_bytes,
      thenBytes: more.total_bytes,
    }
    list.push({ ...about, code: "accurate_format", format: more.format, figures })
  }
  const normal = rows.find(({ format }) => format === row.format.replace("fp4", "nf4"))
  if (/^fp4/.test(row.format) && normal?.quality) {
    list.push({ ...about, code: "nf4_not_fp4", format: normal.format, figures: { nowShare, thenShare: normal.quality.sameTopToken } })
  }
  if (isFourBit(row.format) && request.blockSize > 64)
    list.push({ ...about, code: "finer_blocks", format: null, figures: { blockSize: request.blockSize, thenBlockSize: 64 } })
  if (request.embeddings !== undefined)
    list.push({ ...about, code: "keep_embeddings", format: request.embeddings, figures: { unquantizedBytes: row.parts.unquantized } })
  if (row.quality.basis === "typical")
    list.push({ ...about, isPressing: false, code: "measure_quality", format: row.format, figures: { nowShare } })
  return list
}

/** What is quantized once need not be read in 16 bits and quantized again at each start. */
function loadingAdvice({ rows, row }: AdviceFacts): PlanAdvice[] {
  const [stored] = rows
  if (!stored || !isPlain(stored.format) || isPlain(row.format) || stored.disk_bytes <= row.disk_bytes) return []
  const figures = { storedBytes: stored.disk_bytes, quantizedBytes: row.disk_bytes }
  return [{ code: "load_quantized", topic: "loading", isPressing: false, format: row.format, figures }]
}

/** Bits per weight of Q4_K_M, scales included: 4.58 GiB for the 8.03 billion parameters of Llama 3 8B. */
const ggufBits = 4.9

function formatAdvice({ rows, row, request, devices, hasFp8 }: AdviceFacts): PlanAdvice[] {
  const about = { topic: "format", isPressing: false } as const
  const list: PlanAdvice[] = []
  const card = devices.find(({ kind }) => kind === "gpu")
  const plain = rows.find((one) => isPlain(one.format))
  if (plain?.verdict === "fits" && !isPlain(row.format)) {
    const speeds: Record<string, number> =
      plain.speed && row.speed ? { nowPerS: row.speed.tokensPerS, thenPerS: plain.speed.tokensPerS } : {}
    const figures = { thenBytes: plain.total_bytes, spareBytes: spareOf(plain, devices), ...speeds }
    list.push({ ...about, code: "full_precision", format: plain.format, figures })
  }
  // The others cannot be trained further, so they are no advice for who wants to.
  if (request.mode === "train") return list
  if (!card && isFourBit(row.format)) {
    const figures: Record<string, number> = row.quality
      ? { bitsPerWeight: ggufBits, nowShare: row.quality.sameTopToken }
      : { bitsPerWeight: ggufBits }
    list.push({ ...about, code: "gguf_elsewhere", format: null, figures })
  }
  if (card && isFourBit(row.format))
    list.push({ ...about, code: "gptq_awq_elsewhere", format: null, figures: { totalBytes: row.total_bytes } })
  // FP8 takes a byte for each weight, like INT8.
  const eightBit = rows.find(({ format }) => format === "int8")
  if (card && hasFp8 && eightBit?.verdict === "fits")
    list.push({
      ...about,
      code: "fp8_elsewhere",
      format: null,
      figures: { totalBytes: eightBit.total_bytes, spareBytes: spareOf(eightBit, devices) },
    })
  return list
}
