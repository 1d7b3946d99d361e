// Step 2: what each format takes, what it costs, which one is best here; nothing large has been downloaded yet.
import { Download, Gauge, Layers } from "lucide-react"
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { Addition } from "../../../shared/schema/addition.ts"
import { QuantizedFormat } from "../../../shared/schema/format.ts"
import { contextStops, nearestStop } from "../../lib/context-stops.ts"
import { formatBytes, formatCount, formatName, formatShare } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { FitRows } from "../../parts/fit-rows.tsx"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { MemoryBar, OwnerSwatch, partsAsSegments } from "../../ui/memory-bar.tsx"
import { Note } from "../../ui/note.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { SliderField } from "../../ui/slider-field.tsx"
import { applyFit, backToPlan, changeOptions, changePlan, openPlan, remove, runBenchmark, start } from "./actions.ts"
import { Advanced } from "./advanced.tsx"
import { Advice } from "./advice.tsx"
import { useComputers } from "./computers.ts"
import { ClosedAddition } from "./failure.tsx"
import { PlanTable } from "./plan-table.tsx"
import { adding, barScale, chosenRow, downloadBytes, isQuantizedFormat, usableBytes } from "./state.ts"

export function PlanStep({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const plan = adding.use((part) => (part.plan?.additionId === addition.id ? part.plan : null))
  // Every change of what the plan depends on; the checks afterwards do not count.
  const { path, options } = addition
  const key = JSON.stringify([path, options.blockSize, options.skipModules, options.embeddings, options.experts, options.computeDtype])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the addition changes with every byte that comes; the key says what matters.
  useEffect(() => openPlan(addition), [addition.id, key])
  useRecommended(addition)
  const isLocked = addition.state !== "draft"
  if (addition.path === "") return <ClosedAddition addition={addition} />
  return (
    <>
      {isLocked && <LockedNote addition={addition} />}
      {plan?.failure && (
        <>
          <FailureNote className="mb-4" failure={plan.failure} />
          <FormatWithoutPlan addition={addition} />
        </>
      )}
      {plan?.report ? (
        <fieldset disabled={isLocked} className="contents">
          <Controls addition={addition} />
          <PlanTable addition={addition} report={plan.report} />
          <Details addition={addition} />
          <FitRows changes={plan.fit} onApply={(change) => applyFit(addition, change)} />
          <Advice addition={addition} report={plan.report} />
          <Advanced addition={addition} />
        </fieldset>
      ) : (
        !plan?.failure && (
          <p role="status" className="py-8 text-center text-13 text-ink-3">
            {t("adding.planning")}
          </p>
        )
      )}
      {!isLocked && <Begin addition={addition} />}
    </>
  )
}

/** What the planner recommends is chosen, until one chooses. */
function useRecommended(addition: Addition): void {
  const format = adding.use(({ plan }) => (plan?.additionId === addition.id ? plan.report?.recommendation.format : undefined))
  const rows = adding.use(({ plan }) => plan?.report?.rows.length ?? 0)
  const isFresh = addition.state === "draft" && addition.updatedAt === addition.createdAt
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the recommendation is there.
  useEffect(() => {
    if (format === undefined || !isFresh) return
    const wanted = rows > 1 && isQuantizedFormat(format) ? format : "stored"
    void changeOptions(addition, { format: wanted })
  }, [format, isFresh])
}

/** What cannot be planned may still be quantized. */
function FormatWithoutPlan({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const formats: Addition["options"]["format"][] = ["stored", ...QuantizedFormat.options]
  return (
    <div className="max-w-[440px]">
      <SelectField
        label={t("models.format")}
        value={addition.options.format}
        onChange={(format) => void changeOptions(addition, { format })}
        options={formats.map((value) => ({ value, label: value === "stored" ? t("adding.asStored") : formatName(value) }))}
      />
    </div>
  )
}

function LockedNote({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  if (addition.state === "done") return null
  return (
    <Note
      tone="plain"
      className="mb-4"
      action={
        <Button size="small" onClick={() => void backToPlan(addition.id)}>
          {t("adding.changePlan")}
        </Button>
      }
    >
      {t("adding.locked")}
    </Note>
  )
}

function Controls({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const plan = adding.use((part) => part.plan)
  const computers = useComputers()
  const report = plan?.report
  if (!plan || !report) return null
  const stops = contextStops(report.contextLimit)
  const row = chosenRow(report, addition.options.format) ?? report.rows[0]
  const context = plan.context || row?.context || 0
  return (
    <div className="mb-4 grid grid-cols-[minmax(0,440px)_220px_1fr] items-end gap-x-8 gap-y-3 max-lg:grid-cols-2 max-sm:grid-cols-1">
      <SliderField
        label={t("adding.contextFor")}
        value={nearestStop(context, stops)}
        min={0}
        max={stops.length - 1}
        step={1}
        show={(index) => t("chat.tokens", { count: stops[index] ?? 0, n: formatCount(stops[index] ?? 0) })}
        onMove={(index) => changePlan({ context: stops[index] ?? 0 })}
        onCommit={(index) => void changeOptions(addition, { context: stops[index] ?? 0 })}
      />
      <SelectField
        label={t("memory.computer")}
        value={plan.computer ?? ""}
        onChange={(computer) => changePlan({ computer: computer || null })}
        options={[{ value: "", label: t("memory.thisComputer") }, ...computers.map(({ id, label }) => ({ value: id, label }))]}
      />
      <p className="num text-right text-12 leading-prose text-ink-3 max-lg:col-span-2 max-lg:text-left max-sm:col-span-1">
        {row &&
          t("adding.kv", { perToken: formatBytes(row.kv_bytes_per_token), size: formatBytes(row.parts.kv), n: formatCount(row.context) })}
        <br />
        {t("adding.limit", { size: formatBytes(usableBytes(report.devices)) })}
      </p>
    </div>
  )
}

/** The chosen row by owner. */
function Details({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const report = adding.use(({ plan }) => plan?.report)
  const predictions = useMain((main) => main.predictions)
  const row = report && chosenRow(report, addition.options.format)
  if (!report || !row) return null
  const segments = partsAsSegments(row.parts)
  const usable = usableBytes(report.devices)
  const errors = predictions.slice(0, 10).map(({ predictedBytes, peakBytes }) => Math.abs(peakBytes - predictedBytes) / predictedBytes)
  return (
    <section aria-label={t("adding.details")} className="mt-4 rounded-card border border-line bg-card p-4">
      <div className="mb-2 flex flex-wrap items-baseline justify-between gap-2">
        <h2 className="text-13 font-semibold">{t("adding.detailsOf", { format: formatName(row.format), n: formatCount(row.context) })}</h2>
        <span className="num text-12 text-ink-3">
          {t("adding.ofUsable", { used: formatBytes(row.total_bytes), usable: formatBytes(usable) })}
        </span>
      </div>
      <MemoryBar segments={segments} scale={barScale(report)} form="outline" limit={usable} />
      <ul className="num mt-2 flex flex-wrap gap-x-4 gap-y-1 text-12 text-ink-2">
        {segments.map(({ owner, bytes }) => (
          <li key={owner} className="flex items-center gap-1.5">
            <OwnerSwatch owner={owner} form="outline" />
            {`${t(`memory.owner.${owner}`)} ${formatBytes(bytes)}`}
          </li>
        ))}
      </ul>
      <p className="mt-3 text-12 leading-prose text-ink-3">
        {errors.length > 0
          ? t("adding.estimates", {
              count: errors.length,
              error: formatShare(errors.reduce((sum, error) => sum + error, 0) / errors.length),
            })
          : t("adding.estimatesUnproved")}{" "}
        {t("adding.trainingLater")}
      </p>
    </section>
  )
}

function Begin({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const speed = useMain((main) => main.speed)
  const [fraction, setFraction] = useState<number | null>(null)
  const bytes = downloadBytes(addition)
  const isLocal = addition.source.kind === "local"
  const isStored = addition.options.format === "stored"
  const measure = () => {
    setFraction(0)
    void runBenchmark(setFraction, new AbortController().signal).finally(() => setFraction(null))
  }
  return (
    <footer className="mt-5 flex flex-wrap items-center gap-2">
      <Button icon={Gauge} disabled={fraction !== null} onClick={measure}>
        {fraction === null
          ? t(speed ? "adding.measureAgain" : "adding.measure")
          : t("adding.measuring", { percent: formatCount(fraction * 100) })}
      </Button>
      <span className="flex-1" />
      <Button kind="ghost" onClick={() => void remove(addition)}>
        {t("adding.discard")}
      </Button>
      <Button kind="primary" icon={isLocal ? Layers : Download} disabled={addition.path === ""} onClick={() => void start(addition.id)}>
        {isLocal ? t(isStored ? "adding.takeIt" : "adding.quantizeIt") : t("adding.downloadIt", { size: formatBytes(bytes) })}
      </Button>
    </footer>
  )
}
