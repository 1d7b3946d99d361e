import { expect, test } from "vitest"
import { axisOf, fullest, predictionsOf } from "../../../../renderer/features/memory/prediction.ts"
import { deviceOf, noParts, reportOf, rowOf } from "./records.ts"

const parts = { ...noParts, weights: 100, activations: 20, logits: 5 }
const used = (name: string, used_bytes: number) => {
  const { kind } = deviceOf(name, 0)
  return { name, kind, used_bytes, free_bytes: 0, parts }
}

test("each device that memory is taken of, with the logits among the activations", () => {
  const report = reportOf({ devices: [deviceOf("0", 300), deviceOf("cpu", 80), deviceOf("disk", 9)] })
  const row = rowOf({ devices: [used("0", 250), used("cpu", 125), used("disk", 40)] })
  const predictions = predictionsOf(row, report)
  expect(predictions.map(({ device, overBytes }) => [device.name, overBytes])).toEqual([
    ["0", -50],
    ["cpu", 45],
  ])
  expect(predictions[0]?.segments).toEqual([
    { owner: "weights", bytes: 100 },
    { owner: "activations", bytes: 25 },
  ])
  expect(fullest(predictions)?.device.name).toBe("cpu")
  expect(predictionsOf(rowOf({ devices: [used("0", 0)] }), report)).toEqual([])
})

test("the axis shows the usable line where it is near, and something to see where it is far", () => {
  const axis = (usedBytes: number, usableBytes: number, now = 0) => {
    const [prediction] = predictionsOf(rowOf({ devices: [used("cpu", usedBytes)] }), reportOf({ devices: [deviceOf("cpu", usableBytes)] }))
    return prediction && axisOf(prediction, now)
  }
  expect(axis(900, 1000)).toBeCloseTo(1060)
  expect(axis(100, 1000)).toBeCloseTo(250)
  expect(axis(2000, 1000)).toBeCloseTo(2080)
  expect(axis(100, 1000, 300)).toBeCloseTo(750)
})
