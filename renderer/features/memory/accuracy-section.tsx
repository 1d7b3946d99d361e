// "How good these predictions are": the last ten as dots over their figures, with the band that the planner is held to.
import { TriangleAlert } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { formatBytes, formatCount, formatShare } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { cx } from "../../ui/class-names.ts"
import { type Accuracy, accuracyOf, bandShare, chartRange, dotPlace, type Judged } from "./accuracy.ts"
import { signedBytes, signedPercent } from "./figures.ts"
import { PredictionDialog } from "./prediction-dialog.tsx"

export function AccuracySection() {
  const { t } = useTranslation()
  const predictions = useMain((main) => main.predictions)
  const accuracy = accuracyOf(predictions)
  const [shown, setShown] = useState<Judged | null>(null)
  return (
    <section aria-labelledby="memory-accuracy" className="border-t border-line px-8 pt-4.5 pb-6 max-sm:px-4">
      <div className="mb-3 flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h2 id="memory-accuracy" className="text-16 font-semibold tracking-title">
          {t("memory.accuracy.title")}
        </h2>
        {accuracy && (
          <>
            <p className="num text-13 text-ink-2">
              {t("memory.accuracy.summary", {
                count: accuracy.judged.length,
                average: formatShare(accuracy.averageShare),
                worst: formatShare(Math.abs(accuracy.worst.errorShare)),
              })}
            </p>
            <button
              type="button"
              onClick={() => setShown(accuracy.worst)}
              className="num ml-auto text-13 text-accent-ink hover:underline max-sm:ml-0"
            >
              {t("memory.accuracy.whereFrom", { share: formatShare(Math.abs(accuracy.worst.errorShare)) })}
            </button>
          </>
        )}
      </div>
      {accuracy ? <Chart accuracy={accuracy} onChoose={setShown} /> : <p className="text-13 text-ink-2">{t("memory.accuracy.none")}</p>}
      {shown && <PredictionDialog judged={shown} onClose={() => setShown(null)} />}
    </section>
  )
}

const chartHeight = 56

function Chart({ accuracy: { judged, worst }, onChoose }: { accuracy: Accuracy; onChoose(judged: Judged): void }) {
  const { t } = useTranslation()
  const range = chartRange(worst.errorShare)
  const rows = [
    { name: t("memory.accuracy.predicted"), value: ({ prediction }: Judged) => formatBytes(prediction.predictedBytes) },
    { name: t("memory.accuracy.peak"), value: ({ prediction }: Judged) => formatBytes(prediction.peakBytes) },
    { name: t("memory.accuracy.difference"), value: ({ errorBytes }: Judged) => signedBytes(errorBytes) },
  ]
  const label = "sticky left-0 z-10 w-[92px] bg-canvas py-1 pr-2 text-left font-normal text-ink-3"
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms.
    <div role="group" aria-label={t("memory.accuracy.title")} tabIndex={0} className="overflow-x-auto">
      <table className="num w-full min-w-[760px] table-fixed border-collapse text-center text-12">
        <thead>
          <tr>
            <td className={label} />
            {judged.map((one) => (
              <th key={one.prediction.id} scope="col" className="px-1.5 pb-1 align-bottom font-medium text-ink-2">
                <button type="button" onClick={() => onChoose(one)} className="w-full hover:text-ink hover:underline">
                  <Name judged={one} />
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr aria-hidden>
            <td className={label} style={{ height: chartHeight }}>
              <Axis range={range} />
            </td>
            {judged.map((one) => (
              <td key={one.prediction.id} className="relative p-0" style={{ height: chartHeight }}>
                <Dot judged={one} range={range} />
              </td>
            ))}
          </tr>
          {rows.map(({ name, value }) => (
            <tr key={name}>
              <th scope="row" className={label}>
                {name}
              </th>
              {judged.map((one) => (
                <td key={one.prediction.id} className="px-1 py-1 whitespace-nowrap">
                  {value(one)}
                </td>
              ))}
            </tr>
          ))}
          <tr>
            <th scope="row" className={label}>
              {t("memory.accuracy.error")}
            </th>
            {judged.map((one) => (
              <td key={one.prediction.id} className={cx("px-1 py-1 font-semibold", !one.isGood && "text-caution")}>
                <span className="inline-flex items-center gap-1">
                  {!one.isGood && <TriangleAlert size={12} role="img" aria-label={t("memory.accuracy.outside")} />}
                  {signedPercent(one.errorShare)}
                </span>
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  )
}

/** The model, and below it "nf4-dq" and "chat 8k". */
function Name({ judged: { prediction } }: { judged: Judged }) {
  const { t } = useTranslation()
  const { modelName, format, kind, context } = prediction
  return (
    <>
      <span className="block truncate" title={modelName}>
        {modelName}
      </span>
      <span className="block truncate font-normal">{format}</span>
      <span className="block font-normal whitespace-nowrap">{`${t(`memory.accuracy.kind.${kind}`)} ${contextLength(context)}`}</span>
    </>
  )
}

/** "8k" */
function contextLength(tokens: number): string {
  return tokens >= 1024 && tokens % 1024 === 0 ? `${formatCount(tokens / 1024)}k` : formatCount(tokens)
}

const y = (place: number) => (chartHeight / 2) * (1 - place)

function Axis({ range }: { range: number }) {
  const marks = [bandShare, 0, -bandShare]
  return (
    <span className="relative block h-full">
      {marks.map((share) => (
        <span key={share} className="absolute right-1 -translate-y-1/2" style={{ top: y(dotPlace(share, range)) }}>
          {share === 0 ? "0" : `${share > 0 ? "+" : "−"}${wholePercent(Math.abs(share))}`}
        </span>
      ))}
    </span>
  )
}

function wholePercent(share: number): string {
  return `${formatCount(Math.round(share * 100))} %`
}

function Dot({ judged: { errorShare, isGood }, range }: { judged: Judged; range: number }) {
  const top = y(dotPlace(errorShare, range))
  const band = (bandShare / range) * (chartHeight / 2)
  const middle = chartHeight / 2
  const isBeyond = Math.abs(errorShare) > range
  return (
    <>
      <span className="absolute inset-x-0 bg-ok-soft" style={{ top: middle - band, height: band * 2 }} />
      <span className="absolute inset-x-0 border-t border-line-strong" style={{ top: middle }} />
      <span className="absolute left-1/2 w-px bg-ink-2" style={{ top: Math.min(top, middle), height: Math.abs(top - middle) }} />
      {isBeyond ? (
        // It points to where it would stand.
        <span
          className={cx(
            "absolute left-1/2 -translate-x-1/2 border-x-[5px] border-x-transparent",
            errorShare > 0 ? "top-0 border-b-8 border-b-caution" : "bottom-0 border-t-8 border-t-caution",
          )}
        />
      ) : (
        <span
          className={cx("absolute left-1/2 size-[9px] -translate-1/2 rounded-full", isGood ? "bg-ink" : "bg-caution")}
          style={{ top }}
        />
      )}
    </>
  )
}
