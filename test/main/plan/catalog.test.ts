import { expect, it } from "vitest"
import { describeModel } from "../../../main/models/describe.ts"
import { catalog } from "../../../main/plan/catalog.ts"

it("has the models that people know, of the sizes that they are called by", () => {
  const billions = catalog.map(({ config, name }) => {
    const elements = describeModel(config, name).expected.map(({ shape }) => shape.reduce((product, n) => product * n, 1))
    return Math.round(elements.reduce((sum, n) => sum + n, 0) / 1e7) / 100
  })
  // As their pages on the hub say.
  expect(billions).toEqual([0.49, 1.24, 3.21, 7.25, 8.03, 14.77, 32.76, 70.55])
  expect(catalog.every(({ id }) => /^[a-z0-9.-]+$/.test(id))).toBe(true)
})
