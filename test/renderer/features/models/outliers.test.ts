import { expect, test } from "vitest"
import { barHeight, chartRows, mostOf, sortLayers, totals } from "../../../../renderer/features/models/outliers.ts"
import type { LayerOutliers } from "../../../../shared/schema/outliers.ts"

function layer(name: string, outlierColumns: number, largest: number, columns = 100): LayerOutliers {
  return {
    ...{ name, columns, tokens: 7, largest, outlier_columns: outlierColumns, outlier_column_share: outlierColumns / columns },
    ...{ outlier_value_share: 0, outlier_square_share: 0, most_frequent: [] },
  }
}

const layers = [
  layer("model.layers.0.self_attn.q_proj", 5, 8),
  layer("model.layers.0.mlp.down_proj", 0, 40, 300),
  layer("model.layers.2.self_attn.q_proj", 10, 9),
  layer("lm_head", 1, 7),
]

test("the share is that of all columns, not the mean of the layers", () => {
  expect(totals(layers)).toEqual({ columns: 600, outlierColumns: 16, share: 16 / 600, layersWithOutliers: 3, largest: layers[1] })
  expect(totals([])).toEqual({ columns: 0, outlierColumns: 0, share: 0, layersWithOutliers: 0, largest: null })
})

test("a row for each kind of layer, a bar for each block", () => {
  expect(chartRows(layers)).toEqual([
    { kind: "self_attn.q_proj", bars: [layers[0], null, layers[2]] },
    { kind: "mlp.down_proj", bars: [layers[1], null, null] },
    { kind: "lm_head", bars: [layers[3], null, null] },
  ])
})

test("of the experts of a block the one with the most outliers is shown, and GGUF's names are understood", () => {
  const experts = [layer("blk.0.experts.0.up", 1, 3), layer("blk.0.experts.1.up", 4, 3), layer("blk.0.experts.2.up", 4, 9)]
  expect(chartRows(experts)).toEqual([{ kind: "experts.*.up", bars: [experts[2]] }])
})

test("bars stand in proportion to the highest: shares by their root, magnitudes by their logarithm", () => {
  expect(layers.map((one) => barHeight(one, "share", mostOf(layers, "share")))).toEqual(
    [0.05, 0, 0.1, 0.01].map((share) => Math.sqrt(share / 0.1)),
  )
  expect(barHeight(layers[1]!, "largest", mostOf(layers, "largest"))).toBe(1)
  expect(barHeight(layers[0]!, "largest", 80)).toBeCloseTo(0.5, 10)
  expect(barHeight(layers[0]!, "share", 0)).toBe(0)
})

test("the table is in the order of the model, or the most first", () => {
  expect(sortLayers(layers, "model")).toBe(layers)
  expect(sortLayers(layers, "columns").map(({ outlier_columns }) => outlier_columns)).toEqual([10, 5, 1, 0])
  expect(sortLayers(layers, "largest")[0]).toBe(layers[1])
})
