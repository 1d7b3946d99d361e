// Outliers of a model's activations: the run, which goes on while its dialog is closed, and what a report says in few numbers.
import type { ErrorData } from "../../../shared/schema/error.ts"
import type { LayerOutliers, OutlierReport } from "../../../shared/schema/outliers.ts"
import { slice } from "../../lib/slice.ts"

export type OutlierRun =
  | { state: "running"; threshold: number }
  | { state: "done"; report: OutlierReport }
  | { state: "failed"; error: ErrorData }

/** By model. */
export const outliers = slice("outliers", { runs: {} as Record<string, OutlierRun> })

/** What bitsandbytes takes. */
export const usualThreshold = 6

export interface OutlierTotals {
  columns: number
  outlierColumns: number
  /** Of all columns. */
  share: number
  layersWithOutliers: number
  /** The layer that read the largest magnitude; null without layers. */
  largest: LayerOutliers | null
}

export function totals(layers: LayerOutliers[]): OutlierTotals {
  const sum = (of: (layer: LayerOutliers) => number) => layers.reduce((total, layer) => total + of(layer), 0)
  const columns = sum((layer) => layer.columns)
  const outlierColumns = sum((layer) => layer.outlier_columns)
  return {
    columns,
    outlierColumns,
    share: columns > 0 ? outlierColumns / columns : 0,
    layersWithOutliers: layers.filter((layer) => layer.outlier_columns > 0).length,
    largest: layers.reduce<LayerOutliers | null>((most, layer) => (most && most.largest >= layer.largest ? most : layer), null),
  }
}

export interface ChartRow {
  /** What the layers are called within their block: "self_attn.q_proj". */
  kind: string
  /** By block; null where a block has no such layer. Of several in one block (experts) the one with the most outliers. */
  bars: (LayerOutliers | null)[]
}

/** Layers of the same kind in a row, block after block, in the order of the model. */
export function chartRows(layers: LayerOutliers[]): ChartRow[] {
  const rows = new Map<string, Map<number, LayerOutliers>>()
  let blocks = 1
  for (const layer of layers) {
    const [, block, kind] = layer.name.match(/(?:^|\.)(\d+)\.(.+)$/) ?? [null, "0", layer.name]
    const key = String(kind).replace(/(^|\.)\d+(?=\.|$)/g, "$1*")
    const at = Number(block)
    const row = rows.get(key) ?? new Map<number, LayerOutliers>()
    rows.set(key, row)
    const known = row.get(at)
    if (!known || isMore(layer, known)) row.set(at, layer)
    blocks = Math.max(blocks, at + 1)
  }
  return [...rows].map(([kind, row]) => ({ kind, bars: Array.from({ length: blocks }, (_, at) => row.get(at) ?? null) }))
}

function isMore(a: LayerOutliers, b: LayerOutliers): boolean {
  return a.outlier_column_share > b.outlier_column_share || (a.outlier_column_share === b.outlier_column_share && a.largest > b.largest)
}

export type ChartMeasure = "share" | "largest"

/** Heights from 0 to 1. Shares reach from a thousandth to a third in one model, magnitudes from 1 to thousands: roots and logarithms show both. */
export function barHeight(layer: LayerOutliers, measure: ChartMeasure, most: number): number {
  if (most <= 0) return 0
  if (measure === "share") return Math.sqrt(layer.outlier_column_share / most)
  return Math.log1p(layer.largest) / Math.log1p(most)
}

export function mostOf(layers: LayerOutliers[], measure: ChartMeasure): number {
  return layers.reduce((most, layer) => Math.max(most, measure === "share" ? layer.outlier_column_share : layer.largest), 0)
}

export type LayerSort = "model" | "columns" | "share" | "largest"

/** "model": the order of the model; the others: most first. */
export function sortLayers(layers: LayerOutliers[], by: LayerSort): LayerOutliers[] {
  if (by === "model") return layers
  const value = { columns: "outlier_columns", share: "outlier_column_share", largest: "largest" } as const
  return layers.toSorted((a, b) => b[value[by]] - a[value[by]])
}
