import { expect, it } from "vitest"
import { estimateSpeed } from "../../../main/plan/speed-estimate.ts"
import { device, partsOf, profile, row } from "./rows.ts"

const cpu = [device("cpu", 10_000)]
const nf4 = row("nf4", { weights: 100, scales: 20, unquantized: 80, kv: 50 }, cpu, { weight_bytes_per_token: 160 })
const facts = { devices: cpu, layers: 4, profile, plainFormat: "bf16" as const }

it("adds what each format, the layers and the cache take on this computer", () => {
  // 4 layers, 120 quantized bytes, 40 others, 50 of the cache.
  const seconds = 4 * 0.01 + 120 / 200 + 40 / 1000 + 50 / 1000
  expect(estimateSpeed(nf4, facts)).toEqual({ tokensPerS: expect.closeTo(1 / seconds, 9), basis: "measured" })
  expect(estimateSpeed(nf4, { ...facts, plainFormat: "fp16" })?.tokensPerS).toBeCloseTo(1 / (seconds + 40 / 500 - 40 / 1000), 9)
})

it("weights that are mapped from files are read more slowly", () => {
  const seconds = 4 * 0.01 + (120 / 200 + 40 / 1000) / 0.8 + 50 / 1000
  expect(estimateSpeed({ ...nf4, mapped_bytes: 200 }, facts)?.tokensPerS).toBeCloseTo(1 / seconds, 9)
})

it("of another computer only the bandwidth is known", () => {
  expect(estimateSpeed(nf4, { ...facts, profile: null })).toEqual({ tokensPerS: expect.closeTo(100 / (160 + 50), 9), basis: "bandwidth" })
})

it("parts on several devices take their time one after the other", () => {
  const devices = [device("0", 1000, 1000), device("cpu", 1000, 100), device("disk", 1000, 10)]
  const on = (weights: number, kv: number) => partsOf({ weights, kv })
  const split = row("nf4", { weights: 300, kv: 30 }, devices, {
    weight_bytes_per_token: 300,
    devices: [on(100, 10), on(100, 20), on(100, 0)].map((parts, i) => {
      const { name, kind } = devices[i] as (typeof devices)[number]
      return { name, kind, used_bytes: parts.weights + parts.kv, free_bytes: 0, parts }
    }),
  })
  const seconds = 110 / 1000 + 120 / 100 + 100 / 10
  expect(estimateSpeed(split, { ...facts, devices, profile: null })?.tokensPerS).toBeCloseTo(1 / seconds, 9)
  const here = estimateSpeed(split, { ...facts, devices })
  expect(here?.basis).toBe("bandwidth")
  expect(here?.tokensPerS).toBeCloseTo(1 / (110 / 1000 + 0.04 / 3 + 100 / 200 + 20 / 1000 + 100 / 10), 9)
})

it("says nothing where it knows nothing", () => {
  expect(estimateSpeed(nf4, { ...facts, devices: [device("cpu", 10_000, 0)], profile: null })).toBeNull()
  expect(estimateSpeed({ ...nf4, format: "fp4" }, facts)).toBeNull()
})
