import { ArrowDown } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { LayerOutliers } from "../../../shared/schema/outliers.ts"
import { formatCount, formatMagnitude, formatShare } from "../../lib/format.ts"
import { Button } from "../../ui/button.tsx"
import { cx } from "../../ui/class-names.ts"
import { type LayerSort, sortLayers } from "./outliers.ts"

/** Models with experts have thousands of layers; so many rows at a time. */
const rowsAtOnce = 100
const columnsShown = 4

export function OutliersTable({ layers }: { layers: LayerOutliers[] }) {
  const { t } = useTranslation()
  const [sort, setSort] = useState<LayerSort>("model")
  const [limit, setLimit] = useState(rowsAtOnce)
  const shown = sortLayers(layers, sort).slice(0, limit)
  const head = (by: LayerSort, label: string) => {
    // Towards the middle of the table, so that headings end where their numbers do.
    const arrow = <ArrowDown size={12} aria-hidden className={cx("flex-none", sort !== by && "invisible")} />
    return (
      <th
        scope="col"
        aria-sort={sort !== by ? "none" : by === "model" ? "ascending" : "descending"}
        className={cx("px-3 py-1.5 font-medium", by === "model" ? "text-left" : "text-right")}
      >
        <button
          type="button"
          onClick={() => setSort(by)}
          className={cx("inline-flex items-center gap-1 whitespace-nowrap hover:text-ink", sort === by && "text-ink")}
        >
          {by !== "model" && arrow}
          {label}
          {by === "model" && arrow}
        </button>
      </th>
    )
  }
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
      tabIndex={0}
      aria-label={t("outliers.table")}
      className="max-h-[320px] overflow-auto rounded-control border border-line"
    >
      <table className="num w-full border-collapse text-12">
        <thead className="sticky top-0 bg-panel text-ink-3">
          <tr>
            {head("model", t("outliers.layer"))}
            {head("columns", t("outliers.columns"))}
            {head("share", t("outliers.share"))}
            {head("largest", t("outliers.largest"))}
            <th scope="col" className="px-3 py-1.5 text-left font-medium whitespace-nowrap">
              {t("outliers.mostFrequent")}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((layer) => (
            <tr key={layer.name} className="border-t border-line">
              <th scope="row" className="px-3 py-1 text-left font-mono font-normal whitespace-nowrap">
                {layer.name}
              </th>
              <td className="px-3 py-1 text-right whitespace-nowrap">
                {t("outliers.of", { n: formatCount(layer.outlier_columns), total: formatCount(layer.columns) })}
              </td>
              <td className="px-3 py-1 text-right whitespace-nowrap">{formatShare(layer.outlier_column_share)}</td>
              <td className="px-3 py-1 text-right whitespace-nowrap">{formatMagnitude(layer.largest)}</td>
              <td className="px-3 py-1 whitespace-nowrap text-ink-2">
                {layer.most_frequent
                  .slice(0, columnsShown)
                  .map(({ column, tokens }) => `${column} (${formatCount(tokens)})`)
                  .join(", ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {limit < layers.length && (
        <div className="border-t border-line p-2">
          <Button size="small" kind="ghost" onClick={() => setLimit(limit + rowsAtOnce)}>
            {t("outliers.more", { n: formatCount(Math.min(rowsAtOnce, layers.length - limit)) })}
          </Button>
        </div>
      )}
    </section>
  )
}
