// What LLM.int8() takes for outliers in each linear layer of a model, over a text of the reader's choice. Works for models in any format:
// that is how a threshold is chosen before quantizing.
import { useId, useState } from "react"
import { useTranslation } from "react-i18next"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import type { OutlierReport } from "../../../shared/schema/outliers.ts"
import { describeFailure } from "../../lib/failure.ts"
import { formatCount, formatDecimal, formatMagnitude, formatName, formatShare } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { Dialog } from "../../ui/dialog.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { Note } from "../../ui/note.tsx"
import { ProgressBar } from "../../ui/progress-bar.tsx"
import { SliderField } from "../../ui/slider-field.tsx"
import { outliers, totals, usualThreshold } from "./outliers.ts"
import { applyThreshold, cancelOutliers, measureOutliers } from "./outliers-actions.ts"
import { OutliersChart } from "./outliers-chart.tsx"
import { OutliersTable } from "./outliers-table.tsx"
import { models } from "./state.ts"

export function OutliersDialog({ model }: { model: InstalledModel }) {
  const { t } = useTranslation()
  const run = outliers.use(({ runs }) => runs[model.id])
  const [text, setText] = useState(t("outliers.sample"))
  const [threshold, setThreshold] = useState(run?.state === "done" ? run.report.threshold : usualThreshold)
  const load = useMain((main) => main.load)
  const textId = useId()
  const other = load.state === "ready" && load.model.id !== model.id ? load.model : null
  const showThreshold = (value: number) => (value === 0 ? t("outliers.off") : formatDecimal(value, 1))
  return (
    <Dialog
      isOpen
      onClose={() => models.update({ dialog: null })}
      title={t("outliers.title", { name: model.name })}
      description={t("outliers.lead")}
      closeLabel={t("common.close")}
      width={860}
      footer={
        run?.state === "running" ? (
          <>
            <RunProgress modelId={model.id} />
            <Button onClick={() => cancelOutliers(model.id)}>{t("common.cancel")}</Button>
          </>
        ) : (
          <>
            {other && (
              <p className="min-w-[200px] flex-1 text-12 text-ink-3">
                {t("outliers.replaces", { name: `${other.name} · ${formatName(other.format)}` })}
              </p>
            )}
            <Button kind="primary" disabled={text.trim() === ""} onClick={() => void measureOutliers(model.id, text, threshold)}>
              {t("outliers.begin")}
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-4">
        <div className="grid grid-cols-[1fr_240px] gap-x-6 gap-y-4 max-sm:grid-cols-1">
          <div>
            <label htmlFor={textId} className="mb-1.5 block text-12 font-medium text-ink-3">
              {t("outliers.text")}
            </label>
            <textarea
              id={textId}
              rows={5}
              value={text}
              onChange={(event) => setText(event.target.value)}
              className="block w-full resize-y rounded-control border border-line-strong bg-raised px-2.5 py-1.5 text-13 leading-prose text-ink outline-none focus:border-accent"
            />
          </div>
          <SliderField
            label={t("outliers.threshold")}
            hint={t("outliers.thresholdHint")}
            value={threshold}
            min={0}
            max={20}
            step={0.5}
            show={showThreshold}
            onCommit={setThreshold}
          />
        </div>
        {run?.state === "failed" && <FailureNote failure={describeFailure(run.error)} />}
        {run?.state === "done" && <Report model={model} report={run.report} />}
      </div>
    </Dialog>
  )
}

function RunProgress({ modelId }: { modelId: string }) {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  const isLoading = load.state === "loading" && load.modelId === modelId
  const label = isLoading ? t("load.loading") : t("outliers.counting")
  return (
    <div className="flex min-w-[200px] flex-1 flex-col gap-1.5">
      <span className="text-12 text-ink-2">{label}</span>
      <ProgressBar label={label} fraction={isLoading ? load.fraction : null} />
    </div>
  )
}

function Report({ model, report }: { model: InstalledModel; report: OutlierReport }) {
  const { t } = useTranslation()
  const chosen = useMain((main) => main.settings.int8Threshold) ?? usualThreshold
  const { threshold, tokens, layers } = report
  const { columns, outlierColumns, share, layersWithOutliers, largest } = totals(layers)
  const isInt8 = model.format === "int8"
  const figures = {
    threshold: formatDecimal(threshold, 1),
    share: formatShare(share),
    n: formatCount(outlierColumns),
    total: formatCount(columns),
  }
  const sentence =
    threshold === 0
      ? t(isInt8 ? "outliers.meaningOff" : "outliers.meaningOffOther")
      : t(isInt8 ? "outliers.meaning" : "outliers.meaningOther", figures)
  return (
    <section aria-label={t("outliers.result")} className="flex flex-col gap-4 border-t border-line pt-4">
      <Note
        tone="plain"
        title={sentence}
        action={
          isInt8 &&
          threshold !== chosen && (
            <Button size="small" onClick={() => void applyThreshold(model.id, threshold)}>
              {t("outliers.use", { threshold: threshold === 0 ? t("outliers.off") : figures.threshold })}
            </Button>
          )
        }
      >
        {t("outliers.counted", { tokens: formatCount(tokens), n: formatCount(layersWithOutliers), total: formatCount(layers.length) })}
        {largest && ` ${t("outliers.largestIn", { value: formatMagnitude(largest.largest), layer: largest.name })}`}
      </Note>
      <OutliersChart layers={layers} />
      <OutliersTable layers={layers} />
    </section>
  )
}
