import { expect, it } from "vitest"
import { byQuality, qualityOf, typicalQuality } from "../../../main/plan/quality-figures.ts"
import { Format } from "../../../shared/schema/format.ts"

const sizes = [1e8, 1e9, 8e9, 7e10]

it("worse formats keep less of every model, and large models lose less", () => {
  for (const size of sizes) {
    const kept = byQuality.map((format) => typicalQuality(format, size).sameTopToken)
    expect(kept).toEqual([...kept].sort((a, b) => b - a))
    expect(kept.every((share) => share > 0.5 && share <= 1)).toBe(true)
  }
  for (const format of ["int8", "nf4", "fp4"] as const) {
    const kept = sizes.map((size) => typicalQuality(format, size).sameTopToken)
    expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b))
  }
  expect(new Set(byQuality)).toEqual(new Set(Format.options))
})

it("what was measured takes the place of what is typical; the reference is what it is", () => {
  const measured = (format: Format) => (format === "nf4" || format === "bf16" ? 0.5 : null)
  expect(qualityOf("nf4", 8e9, measured)).toEqual({ sameTopToken: 0.5, basis: "measured" })
  expect(qualityOf("int8", 8e9, measured)).toEqual({ sameTopToken: 0.975, basis: "typical" })
  expect(qualityOf("bf16", 8e9, measured)).toEqual({ sameTopToken: 1, basis: "reference" })
})
