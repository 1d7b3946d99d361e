import { expect, it } from "vitest"
import { type AdviceFacts, adviceOn } from "../../../main/plan/advice.ts"
import { typicalQuality } from "../../../main/plan/quality-figures.ts"
import type { Format } from "../../../shared/schema/format.ts"
import { choice, device, row } from "./rows.ts"

const sizes: Partial<Record<Format, number>> = { bf16: 1600, int8: 850, nf4: 500, "nf4-dq": 470, fp4: 500 }

function facts(usable: number, format: Format, own: Partial<AdviceFacts> = {}, speeds: Partial<Record<Format, number>> = {}): AdviceFacts {
  const devices = own.devices ?? [device("cpu", usable)]
  const rows = Object.entries(sizes).map(([name, weights]) => {
    const kind = name as Format
    const tokensPerS = speeds[kind]
    return choice(row(kind, { weights, kv: 100 }, [...devices]), {
      quality: typicalQuality(kind, 1e9),
      speed: tokensPerS === undefined ? null : { tokensPerS, basis: "measured" },
    })
  })
  const chosen = rows.find((one) => one.format === format)
  if (!chosen) throw new Error("no such row")
  const request = { mode: "chat" as const, blockSize: 64 as const, embeddings: undefined }
  return { rows, row: chosen, request, devices, isSpeedMeasured: true, hasFp8: false, ...own }
}
const codes = (of: AdviceFacts) => adviceOn(of).map(({ code, format }) => (format ? `${code} ${format}` : code))
const find = (of: AdviceFacts, code: string) => adviceOn(of).find((one) => one.code === code)

it("out of memory: the best format that fits, or a shorter context, before anything else", () => {
  const of = facts(1000, "bf16")
  expect(codes(of)[0]).toBe("smaller_format int8")
  expect(find(of, "smaller_format")).toMatchObject({ isPressing: true, figures: { neededBytes: 1700, missingBytes: 700, thenBytes: 950 } })
  expect(find(of, "shorter_context")).toBeUndefined()
  expect(find(facts(1640, "bf16"), "shorter_context")?.figures).toEqual({ missingBytes: 60, kvBytes: 100, context: 1024, tokens: 60 })
})

it("nothing fits: a smaller model or another computer, with what is missing", () => {
  expect(codes(facts(300, "nf4"))).toEqual(expect.arrayContaining(["smaller_model nf4-dq", "other_computer nf4-dq"]))
  expect(find(facts(300, "nf4"), "other_computer")?.figures).toEqual({ neededBytes: 570, missingBytes: 270 })
})

it("slow: a faster format when it is slower than reading, and only then", () => {
  const speeds = { bf16: 3, int8: 6, nf4: 9 }
  expect(find(facts(9000, "bf16", {}, speeds), "faster_format")).toMatchObject({
    isPressing: true,
    format: "int8",
    figures: { nowPerS: 3, thenPerS: 6 },
  })
  expect(find(facts(9000, "bf16", {}, { bf16: 30, nf4: 90 }), "faster_format")).toBeUndefined()
  expect(find(facts(9000, "bf16", {}, { bf16: 3, nf4: 3.5 }), "faster_format")).toBeUndefined()
  expect(codes(facts(9000, "nf4", { isSpeedMeasured: false }))).toContain("measure_speed")
  expect(codes(facts(9000, "nf4", { isSpeedMeasured: null }))).not.toContain("measure_speed")
})

it("inaccurate: the next better format that fits, NF4 instead of FP4, finer blocks, embeddings in 16 bits, and measuring", () => {
  expect(find(facts(9000, "nf4"), "accurate_format")).toMatchObject({
    format: "int8",
    isPressing: true,
    figures: { moreBytes: 350, thenBytes: 950 },
  })
  expect(find(facts(900, "nf4"), "accurate_format")).toBeUndefined()
  expect(codes(facts(9000, "fp4"))).toContain("nf4_not_fp4 nf4")
  const request = { mode: "chat" as const, blockSize: 256 as const, embeddings: "nf4" as const }
  expect(codes(facts(9000, "nf4", { request }))).toEqual(expect.arrayContaining(["finer_blocks", "keep_embeddings nf4"]))
  expect(codes(facts(9000, "nf4"))).not.toContain("finer_blocks")
  const measured = facts(9000, "nf4")
  measured.row.quality = { sameTopToken: 0.97, basis: "measured" }
  expect(codes(measured)).not.toContain("measure_quality nf4")
  expect(find(measured, "accurate_format")?.format).toBe("bf16")
  expect(adviceOn(facts(9000, "bf16")).filter(({ topic }) => topic === "accuracy")).toEqual([])
})

it("loading: what is quantized once is less to read", () => {
  expect(find(facts(9000, "nf4"), "load_quantized")?.figures).toEqual({ storedBytes: 1600, quantizedBytes: 500 })
  expect(find(facts(9000, "bf16"), "load_quantized")).toBeUndefined()
})

it("other formats: full precision where there is room, GGUF without a card, GPTQ, AWQ and FP8 with one; none of them for training", () => {
  expect(find(facts(9000, "nf4"), "full_precision")).toMatchObject({ format: "bf16", figures: { thenBytes: 1700, spareBytes: 7300 } })
  expect(codes(facts(1800, "nf4"))).not.toContain("full_precision bf16")
  expect(codes(facts(9000, "nf4"))).toContain("gguf_elsewhere")
  const devices = [device("0", 2000), device("cpu", 9000)]
  expect(codes(facts(0, "nf4", { devices, hasFp8: true }))).toEqual(expect.arrayContaining(["gptq_awq_elsewhere", "fp8_elsewhere"]))
  expect(codes(facts(0, "nf4", { devices }))).not.toContain("fp8_elsewhere")
  expect(codes(facts(0, "nf4", { devices }))).not.toContain("gguf_elsewhere")
  const request = { mode: "train" as const, blockSize: 64 as const, embeddings: undefined }
  expect(codes(facts(9000, "nf4", { request })).filter((code) => code.includes("elsewhere"))).toEqual([])
})

it("what is wrong now comes first", () => {
  const pressing = adviceOn(facts(1000, "bf16", { isSpeedMeasured: false })).map(({ isPressing }) => isPressing)
  expect(pressing).toEqual([...pressing].sort((a, b) => Number(b) - Number(a)))
  expect(pressing).toContain(false)
})
