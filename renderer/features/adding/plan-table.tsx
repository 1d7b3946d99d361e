// The formats side by side: small bars on one scale with one limit line, one row recommended with its reason.
import { useTranslation } from "react-i18next"
import type { Addition } from "../../../shared/schema/addition.ts"
import type { PlanChoice, PlanReport, PlanVerdict, Recommendation } from "../../../shared/schema/plan.ts"
import { formatBytes, formatCount, formatDecimal, formatGib, formatName, formatTokensPerS } from "../../lib/format.ts"
import { cx } from "../../ui/class-names.ts"
import { percent } from "../../ui/memory-bar.tsx"
import { Tag } from "../../ui/tag.tsx"
import { VerdictIcon, verdictColors } from "../../ui/verdict-icon.tsx"
import { changeOptions } from "./actions.ts"
import { barScale, chosenRow, formatOfRow, usableBytes } from "./state.ts"

export function PlanTable({ addition, report }: { addition: Addition; report: PlanReport }) {
  const { t } = useTranslation()
  const chosen = chosenRow(report, addition.options.format)
  const head = "px-3 pb-2 text-12 font-medium text-ink-3 align-bottom"
  return (
    <div className="overflow-x-auto rounded-card border border-line bg-card">
      <table className="num w-full border-collapse text-13 max-md:block">
        <caption className="sr-only">{t("adding.table")}</caption>
        <thead className="max-md:sr-only">
          <tr>
            <th scope="col" className={`${head} pt-3 text-left`}>
              {t("models.format")}
            </th>
            <Head name={t("adding.column.disk")} unit={t("adding.unit.gib")} />
            <Head name={t("adding.column.chat")} unit={t("adding.unit.gib")} isWide />
            <Head name={t("adding.column.train")} unit={t("adding.unit.gib")} isWide />
            <Head name={t("adding.column.speed")} unit={t("adding.unit.speed")} />
            <Head name={t("adding.column.quality")} unit={t("adding.unit.percent")} />
            <th scope="col" className={`${head} text-left`}>
              {t("adding.column.verdict")}
            </th>
          </tr>
        </thead>
        <tbody className="max-md:block">
          {report.rows.map((row) => (
            <Row key={row.format} row={row} report={report} addition={addition} isChosen={row === chosen} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Head({ name, unit, isWide = false }: { name: string; unit: string; isWide?: boolean }) {
  return (
    <th
      scope="col"
      className={cx("px-3 pt-3 pb-2 align-bottom text-12 font-medium text-ink-3", isWide ? "min-w-[180px] text-left" : "text-right")}
    >
      {name}
      <span className="block font-normal">{unit}</span>
    </th>
  )
}

function Row({ row, report, addition, isChosen }: { row: PlanChoice; report: PlanReport; addition: Addition; isChosen: boolean }) {
  const { t } = useTranslation()
  const { recommendation } = report
  const isRecommended = row.format === recommendation.format
  const format = formatOfRow(row, report)
  const id = `format-${row.format}`
  const cell = "px-3 py-2 max-md:flex max-md:justify-between max-md:gap-4 max-md:py-0.5"
  const choose = () => void changeOptions(addition, { format })
  return (
    <>
      <tr className={cx("border-t border-line max-md:block max-md:py-2", isChosen && "bg-accent-soft shadow-[inset_2px_0_var(--accent)]")}>
        <th scope="row" className="px-3 py-2 text-left font-normal max-md:block">
          {/* The native control: arrow keys walk through the rows, and a screen reader counts them. */}
          <label htmlFor={id} className="flex items-start gap-3">
            <input
              id={id}
              type="radio"
              name="format"
              checked={isChosen}
              onChange={choose}
              className="mt-1 size-4 flex-none accent-accent"
            />
            <span>
              <span className="flex flex-wrap items-center gap-2 font-medium">
                {formatName(row.format)}
                {format === "stored" && <Tag>{t("adding.asStored")}</Tag>}
                {isRecommended && <Tag isOn>{t("adding.recommended")}</Tag>}
              </span>
              <code className="block font-mono text-12 text-ink-3">
                {format === "stored" && report.storedAs !== row.format
                  ? t("adding.decoded", { stored: report.storedAs, format: row.format })
                  : row.format}
                {/fp4|nf4/.test(row.format) && format !== "stored" && `, ${t("adding.block", { size: addition.options.blockSize })}`}
                {row.format === "int8" &&
                  format !== "stored" &&
                  `, ${t("adding.threshold", { value: formatDecimal(addition.options.threshold, 1) })}`}
              </code>
            </span>
          </label>
        </th>
        <td className={`${cell} text-right`}>
          <Name>{t("adding.column.disk")}</Name>
          {formatGib(row.disk_bytes, gibDecimals(report))}
        </td>
        <td className={cell}>
          <Name>{t("adding.column.chat")}</Name>
          <Bar bytes={row.total_bytes} report={report} />
        </td>
        <td className={cell}>
          <Name>{t("adding.column.train")}</Name>
          {row.train ? <Bar bytes={row.train.total_bytes} report={report} /> : <span className="text-ink-3">–</span>}
        </td>
        <td className={`${cell} text-right`}>
          <Name>{t("adding.column.speed")}</Name>
          {row.speed ? <Figure value={formatTokensPerS(row.speed.tokensPerS)} basis={t(`adding.basis.${row.speed.basis}`)} /> : "–"}
        </td>
        <td className={`${cell} text-right`}>
          <Name>{t("adding.column.quality")}</Name>
          {row.quality ? (
            <Figure value={formatDecimal(row.quality.sameTopToken * 100, 1)} basis={t(`adding.basis.${row.quality.basis}`)} />
          ) : (
            "–"
          )}
        </td>
        <td className={cell}>
          <Name>{t("adding.column.verdict")}</Name>
          <span>
            <Verdict verdict={row.verdict} />
            {row.train && (
              <span className="block text-12 text-ink-3">
                {t("adding.trainVerdict", { verdict: t(`memory.verdict.${row.train.verdict}`) })}
              </span>
            )}
          </span>
        </td>
      </tr>
      {isRecommended && (
        <tr className={cx("max-md:block", isChosen && "bg-accent-soft shadow-[inset_2px_0_var(--accent)]")}>
          <td colSpan={7} className="px-3 pt-0 pb-3 pl-10 text-13 text-ink-2 max-md:block max-md:pl-3">
            <Reason recommendation={recommendation} />
          </td>
        </tr>
      )}
    </>
  )
}

/** The column's name, where the table has become cards. */
function Name({ children }: { children: string }) {
  return <span className="text-ink-3 md:hidden">{children}</span>
}

function Figure({ value, basis }: { value: string; basis: string }) {
  return (
    <span>
      {value}
      <span className="block text-12 text-ink-3">{basis}</span>
    </span>
  )
}

function Verdict({ verdict }: { verdict: PlanVerdict }) {
  const { t } = useTranslation()
  return (
    <span className={cx("flex items-center gap-1.5 font-medium whitespace-nowrap", verdictColors[verdict])}>
      <VerdictIcon verdict={verdict} size={14} />
      {t(`memory.verdict.${verdict}`)}
    </span>
  )
}

/** As many as tell the formats of a small model apart. */
function gibDecimals({ rows }: PlanReport): number {
  return Math.max(...rows.map((row) => row.total_bytes)) < 10 * 2 ** 30 ? 2 : 1
}

/** The number stands left of its bar, so that the column reads without it; what is too much is striped. */
function Bar({ bytes, report }: { bytes: number; report: PlanReport }) {
  const scale = barScale(report)
  const usable = usableBytes(report.devices)
  return (
    <span className="flex items-center gap-2.5">
      <span className="w-9 flex-none text-right">{formatGib(bytes, gibDecimals(report))}</span>
      <span aria-hidden className="relative h-2 min-w-20 flex-1">
        <span className="absolute inset-y-0 left-0 rounded-[2px] bg-ink-3" style={{ width: percent(Math.min(bytes, usable), scale) }} />
        {bytes > usable && (
          <span
            className="memory-overflow absolute inset-y-0"
            style={{ left: percent(usable, scale), width: percent(bytes - usable, scale) }}
          />
        )}
        <span className="absolute -inset-y-1 border-l-2 border-ink" style={{ left: percent(usable, scale) }} />
      </span>
    </span>
  )
}

function Reason({ recommendation: { reason, spareBytes, context } }: { recommendation: Recommendation }) {
  const { t } = useTranslation()
  return <>{t(`adding.reason.${reason}`, { spare: formatBytes(Math.abs(spareBytes)), n: formatCount(context) })}</>
}
