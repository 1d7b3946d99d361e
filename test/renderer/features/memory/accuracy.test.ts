import { expect, test } from "vitest"
import { accuracyOf, chartRange, dotPlace, judge } from "../../../../renderer/features/memory/accuracy.ts"
import type { Prediction } from "../../../../shared/schema/plan.ts"
import { noParts } from "./records.ts"

const mebibyte = 2 ** 20

function prediction(id: string, predicted: number, peak: number): Prediction {
  const sizes = { predictedBytes: predicted * mebibyte, peakBytes: peak * mebibyte, parts: noParts }
  return { id, at: 0, modelId: null, modelName: "M", format: "nf4", kind: "load", context: 1, tokens: 1, ...sizes }
}

test("an error is measured less predicted, and its share is of what was predicted", () => {
  expect(judge(prediction("a", 1120, 1090))).toMatchObject({ errorBytes: -30 * mebibyte, errorShare: -30 / 1120, isGood: true })
})

test("good is within 5 %, or within 32 MiB where that is more", () => {
  const isGood = (predicted: number, peak: number) => judge(prediction("a", predicted, peak)).isGood
  expect([isGood(1000, 1050), isGood(1000, 1051), isGood(1000, 949)]).toEqual([true, false, false])
  expect([isGood(100, 132), isGood(100, 133), isGood(100, 68)]).toEqual([true, false, true])
})

test("the last ten, in the order of time, with average and worst", () => {
  expect(accuracyOf([])).toBeNull()
  const list = Array.from({ length: 12 }, (_, index) => prediction(`p${index}`, 100, index === 3 ? 90 : index > 9 ? 200 : 102))
  const accuracy = accuracyOf(list)
  expect(accuracy?.judged.map((one) => one.prediction.id)).toEqual(["p9", "p8", "p7", "p6", "p5", "p4", "p3", "p2", "p1", "p0"])
  expect(accuracy?.worst.prediction.id).toBe("p3")
  expect(accuracy?.averageShare).toBeCloseTo((9 * 0.02 + 0.1) / 10, 9)
})

test("a prediction of nothing has no share", () => {
  expect(judge(prediction("a", 0, 5)).errorShare).toBe(0)
})

test("dots stay in the chart, and the band stays readable", () => {
  expect(dotPlace(0.05, 0.1)).toBe(0.5)
  expect(dotPlace(-3, 0.1)).toBe(-1)
  expect(chartRange(0.01)).toBeCloseTo(0.075)
  expect(chartRange(-0.08)).toBeCloseTo(0.088)
  expect(chartRange(4)).toBeCloseTo(0.1)
})
