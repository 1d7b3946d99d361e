// Published models by their configurations: each is described, and its tensors have as many values as the model is known to have.
import { expect, test } from "vitest"
import { architectures } from "../../../main/models/architectures/registry.ts"
import { describeModel } from "../../../main/models/describe.ts"
import { published } from "./published-configs.ts"

const elements = (shape: number[]) => shape.reduce((product, size) => product * size, 1)

test.each(published)("$model has $parameters parameters", ({ config, parameters }) => {
  const { expected } = describeModel(config, "config.json")
  expect(expected.reduce((sum, { shape }) => sum + elements(shape), 0)).toBe(parameters)
})

test("names of models are not repeated", () => {
  expect(new Set(published.map(({ model }) => model)).size).toBe(published.length)
})

test("model types are those that the architectures give", () => {
  const types = new Map(architectures.map(({ name, modelType }) => [name, modelType]))
  for (const { config } of published) expect(config.model_type).toBe(types.get((config.architectures as string[])[0] as string))
})
