import { expect, it } from "vitest"
import { createPredictions } from "../../../main/services/predictions.ts"

it("has none before plans are shown", () => {
  expect(createPredictions().list()).toEqual([])
})
