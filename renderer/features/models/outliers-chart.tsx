// Layers as bars: a row for each kind of layer, a bar for each block. The table below has the same numbers in words.
import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { LayerOutliers } from "../../../shared/schema/outliers.ts"
import { formatMagnitude, formatShare } from "../../lib/format.ts"
import { Segmented } from "../../ui/segmented.tsx"
import { barHeight, type ChartMeasure, chartRows, mostOf } from "./outliers.ts"

export function OutliersChart({ layers }: { layers: LayerOutliers[] }) {
  const { t } = useTranslation()
  const [measure, setMeasure] = useState<ChartMeasure>("share")
  const rows = chartRows(layers)
  const most = mostOf(layers, measure)
  const show = (value: number) => (measure === "share" ? formatShare(value) : formatMagnitude(value))
  const shownValue = (layer: LayerOutliers) => (measure === "share" ? layer.outlier_column_share : layer.largest)
  return (
    <figure>
      <div className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-2">
        <figcaption className="min-w-[200px] flex-1 text-12 leading-prose text-ink-3">
          {t(measure === "share" ? "outliers.chartShare" : "outliers.chartLargest", { most: show(most) })}
        </figcaption>
        <Segmented<ChartMeasure>
          label={t("outliers.measure")}
          value={measure}
          onChange={setMeasure}
          options={[
            { value: "share", label: t("outliers.columns") },
            { value: "largest", label: t("outliers.largest") },
          ]}
        />
      </div>
      <div aria-hidden className="grid grid-cols-[minmax(0,auto)_1fr_auto] gap-x-3 gap-y-1 max-sm:grid-cols-1">
        {rows.map(({ kind, bars }) => (
          <div key={kind} className="col-span-full grid grid-cols-subgrid items-end">
            <span title={kind} className="max-w-[240px] truncate pb-px font-mono text-12 text-ink-2 max-sm:max-w-full">
              {kind}
            </span>
            <span className="flex h-7 items-end gap-px border-b border-line-strong">
              {bars.map((layer, block) => (
                <span
                  // biome-ignore lint/suspicious/noArrayIndexKey: the place of a bar is its block.
                  key={block}
                  title={layer ? `${layer.name}: ${show(shownValue(layer))}` : undefined}
                  className="flex h-full min-w-px flex-1 items-end hover:bg-hover"
                >
                  {layer && <span className="w-full bg-ink-2" style={{ height: `${barHeight(layer, measure, most) * 100}%` }} />}
                </span>
              ))}
            </span>
            <span className="num pb-px text-right text-12 text-ink-3 max-sm:hidden">
              {show(
                mostOf(
                  bars.filter((bar) => bar !== null),
                  measure,
                ),
              )}
            </span>
          </div>
        ))}
      </div>
    </figure>
  )
}
