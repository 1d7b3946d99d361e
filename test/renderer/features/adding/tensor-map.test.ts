import { expect, test } from "vitest"
import { shadeOf, tensorMap } from "../../../../renderer/features/adding/tensor-map.ts"

test("kinds by layers, in the order in which they come", () => {
  const map = tensorMap([
    { name: "model.layers.0.self_attn.q_proj.weight", error: 0.1 },
    { name: "model.layers.0.mlp.down_proj.weight", error: 0.3 },
    { name: "model.layers.1.self_attn.q_proj.weight", error: null },
    { name: "lm_head.weight", error: 0.2 },
  ])
  expect(map.kinds).toEqual(["q_proj", "down_proj"])
  expect(map.cells).toEqual([
    [0.1, null],
    [0.3, undefined],
  ])
  expect([map.layers, map.least, map.most]).toEqual([2, 0.1, 0.3])
  expect(map.others.map(({ name }) => name)).toEqual(["lm_head.weight"])
})

test("experts of a layer are one cell: the mean of those that are known", () => {
  const { kinds, cells } = tensorMap([
    { name: "model.layers.3.mlp.experts.0.up_proj.weight", error: 0.1 },
    { name: "model.layers.3.mlp.experts.1.up_proj.weight", error: 0.3 },
    { name: "model.layers.3.mlp.experts.2.up_proj.weight", error: null },
  ])
  expect(kinds).toEqual(["experts.up_proj"])
  expect(cells[0]?.[3]).toBeCloseTo(0.2)
  expect(cells[0]?.[0]).toBeUndefined()
})

test("shades span what is known", () => {
  expect([0.1, 0.2, 0.3].map((error) => shadeOf(error, { least: 0.1, most: 0.3 }))).toEqual([0, expect.closeTo(0.5), 1])
  expect(shadeOf(0.1, { least: 0.1, most: 0.1 })).toBe(1)
  expect(tensorMap([]).layers).toBe(0)
})
