// The right half: what a model, a format, a context or a training run would take, here or on another computer.
import { useMemo } from "react"
import { useTranslation } from "react-i18next"
import { contextStops, nearestStop } from "../../lib/context-stops.ts"
import { formatBytes, formatCount, formatName } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { openAdding } from "../../lib/navigation.ts"
import { FitRows } from "../../parts/fit-rows.tsx"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { Segmented } from "../../ui/segmented.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { SliderField } from "../../ui/slider-field.tsx"
import { applyChange, change, reset } from "./actions.ts"
import { LayerStrip } from "./layer-strip.tsx"
import { PlanPicture } from "./plan-picture.tsx"
import { chosenRow, memoryPart, plannable, type WhatIf as Wish } from "./state.ts"
import { TrainControls } from "./train-controls.tsx"

export function WhatIf() {
  const { t } = useTranslation()
  const whatIf = memoryPart.use((part) => part.whatIf)
  return (
    <section
      aria-labelledby="memory-if"
      className="min-w-0 border-l border-line p-5 pr-8 pl-6 max-md:border-t max-md:border-l-0 max-md:pl-8 max-sm:px-4"
    >
      <div className="mb-3 flex min-h-8 flex-wrap items-center gap-x-3 gap-y-2">
        <h1 id="memory-if" className="text-16 font-semibold tracking-title">
          {t("memory.whatIf")}
        </h1>
        <Segmented
          label={t("memory.mode")}
          value={whatIf?.mode ?? "chat"}
          onChange={(mode) => change({ mode })}
          options={[
            { value: "chat", label: t("memory.chat") },
            { value: "train", label: t("memory.train") },
          ]}
        />
        <Button kind="ghost" size="small" onClick={reset} className="ml-auto">
          {t("memory.reset")}
        </Button>
      </div>
      {whatIf && (whatIf.path === null ? <NoModel /> : <Planning whatIf={whatIf} />)}
    </section>
  )
}

function NoModel() {
  const { t } = useTranslation()
  return (
    <div className="flex flex-wrap items-center gap-3 text-13">
      <p className="min-w-[200px] flex-1 text-ink-2">{t("memory.noModel")}</p>
      <Button onClick={() => openAdding("new")}>{t("models.add")}</Button>
    </div>
  )
}

function Planning({ whatIf }: { whatIf: Wish }) {
  const { t } = useTranslation()
  const report = memoryPart.use((part) => part.report)
  const failure = memoryPart.use((part) => part.planFailure)
  const fit = memoryPart.use((part) => part.fit)
  const row = report && chosenRow(report, whatIf.format)
  return (
    <>
      <div className="mb-4 grid grid-cols-2 gap-x-6 gap-y-3 max-sm:grid-cols-[minmax(0,1fr)]">
        <ModelSelect whatIf={whatIf} />
        <FormatSelect whatIf={whatIf} />
        {whatIf.mode === "chat" ? <ContextSlider whatIf={whatIf} /> : <TrainControls plan={whatIf.train} />}
        <ComputerSelect whatIf={whatIf} />
      </div>
      {failure && <FailureNote failure={failure} className="mt-4" />}
      {report && row && (
        <>
          <LayerStrip row={row} report={report} wish={whatIf.deviceMap} />
          <PlanPicture row={row} report={report} whatIf={whatIf} />
          <FitRows changes={fit} onApply={applyChange} />
        </>
      )}
      {!report && !failure && <p className="text-13 text-ink-3">{t("memory.planning")}</p>}
    </>
  )
}

function ModelSelect({ whatIf }: { whatIf: Wish }) {
  const { t } = useTranslation()
  const installed = useMain((main) => main.models)
  const additions = useMain((main) => main.additions)
  const options = plannable({ models: installed, additions }).map(({ path, name, format }) => ({
    value: path,
    label: format === null ? name : `${name} · ${formatName(format)}`,
    ...(format === null ? { detail: t("memory.beingAdded") } : {}),
  }))
  return <SelectField label={t("memory.model")} value={whatIf.path ?? ""} options={options} onChange={(path) => change({ path })} />
}

function FormatSelect({ whatIf }: { whatIf: Wish }) {
  const { t } = useTranslation()
  const choices = memoryPart.use((part) => part.choices)
  const report = memoryPart.use((part) => part.report)
  const shown = report && chosenRow(report, whatIf.format)
  const options = choices.map(({ format, disk_bytes }, index) => ({
    value: format,
    label: formatName(format),
    detail: index === 0 ? t("memory.asStored", { size: formatBytes(disk_bytes) }) : t("memory.onDisk", { size: formatBytes(disk_bytes) }),
  }))
  if (!shown) return <SelectField label={t("memory.format")} value="" options={[]} onChange={() => {}} />
  return <SelectField label={t("memory.format")} value={shown.format} options={options} onChange={(format) => change({ format })} />
}

function ContextSlider({ whatIf }: { whatIf: Wish }) {
  const { t } = useTranslation()
  const limit = memoryPart.use((part) => part.report?.contextLimit ?? 0)
  const shown = memoryPart.use((part) => (part.report && chosenRow(part.report, whatIf.format)) ?? null)
  const steps = useMemo(() => contextStops(limit), [limit])
  const context = whatIf.context || shown?.context || limit
  if (limit === 0) return <div />
  return (
    <SliderField
      label={t("memory.context")}
      hint={shown ? t("memory.kvPerToken", { size: formatBytes(shown.kv_bytes_per_token) }) : undefined}
      value={nearestStop(context, steps)}
      min={0}
      max={steps.length - 1}
      step={1}
      show={(step) => t("memory.tokens", { n: formatCount(steps[step] ?? limit) })}
      onMove={(step) => change({ context: steps[step] ?? limit })}
    />
  )
}

const here = "here"

function ComputerSelect({ whatIf }: { whatIf: Wish }) {
  const { t } = useTranslation()
  const computers = memoryPart.use((part) => part.computers)
  const options = [{ value: here, label: t("memory.thisComputer") }, ...computers.map(({ id, label }) => ({ value: id, label }))]
  return (
    <SelectField
      label={t("memory.computer")}
      value={whatIf.computer ?? here}
      options={options}
      onChange={(id) => change({ computer: id === here ? null : id })}
    />
  )
}
