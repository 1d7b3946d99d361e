import { expect, test } from "vitest"
import { placeLayers, placementOf } from "../../../../renderer/features/memory/placement.ts"
import { deviceOf } from "./records.ts"

const map = {
  "model.embed_tokens": "0",
  "model.layers.10": "disk",
  "model.layers.2": "cpu",
  "model.layers.0": "0",
  "model.layers.1": "1",
  "model.norm": "cpu",
  lm_head: "cpu",
}

test("layers stand in the order of the model, whatever the order of the map", () => {
  const { layers, ends, counts } = placementOf(map)
  expect(layers.map(({ module, place }) => `${module} ${place}`)).toEqual([
    "model.layers.0 gpu",
    "model.layers.1 gpu",
    "model.layers.2 cpu",
    "model.layers.10 disk",
  ])
  expect(ends.map(({ module }) => module)).toEqual(["model.embed_tokens", "model.norm", "lm_head"])
  expect(counts).toEqual({ gpu: 2, cpu: 1, disk: 1 })
})

test("placing by hand moves layers only, and shares them among GPUs by size", () => {
  const devices = [deviceOf("0", 24), deviceOf("1", 8), deviceOf("cpu", 64), deviceOf("disk", 500)]
  expect(placeLayers(map, { gpu: 4, cpu: 0 }, devices)).toEqual({
    ...map,
    "model.layers.0": "0",
    "model.layers.1": "0",
    "model.layers.2": "0",
    "model.layers.10": "1",
  })
  expect(placementOf(placeLayers(map, { gpu: 0, cpu: 3 }, devices)).counts).toEqual({ gpu: 0, cpu: 3, disk: 1 })
})

test("without a GPU there is memory and disk", () => {
  const devices = [deviceOf("cpu", 64), deviceOf("disk", 500)]
  expect(placementOf(placeLayers(map, { gpu: 2, cpu: 1 }, devices)).counts).toEqual({ gpu: 0, cpu: 3, disk: 1 })
})
