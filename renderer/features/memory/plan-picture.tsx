// The verdict, and the prediction in outline over what is filled now, on one axis with the line of what can be used.
import { Table2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { memoryOwners, type PlanChoice, type PlanReport } from "../../../shared/schema/plan.ts"
import { formatBytes, formatTokensPerS } from "../../lib/format.ts"
import { mirror, useMain } from "../../lib/mirror.ts"
import { Button, IconButton } from "../../ui/button.tsx"
import { type BarSegment, MemoryBar, OwnerSwatch } from "../../ui/memory-bar.tsx"
import { VerdictIcon } from "../../ui/verdict-icon.tsx"
import { take } from "./actions.ts"
import { mebibytes } from "./figures.ts"
import { divideMemory } from "./owners.ts"
import { axisOf, type DevicePrediction, fullest, predictionsOf } from "./prediction.ts"
import { memoryPart, nextStep, plannable, type WhatIf } from "./state.ts"

interface PlanPictureProps {
  row: PlanChoice
  report: PlanReport
  whatIf: WhatIf
}

export function PlanPicture({ row, report, whatIf }: PlanPictureProps) {
  const { t } = useTranslation()
  const [isTable, setTable] = useState(false)
  const predictions = predictionsOf(row, report)
  const isHere = whatIf.computer === null
  return (
    <div className="rounded-card border border-line bg-card px-4 pt-3 pb-3.5">
      <div className="mb-2 flex flex-wrap items-center gap-x-2 gap-y-1 text-14">
        <VerdictIcon verdict={row.verdict} />
        <Sentence row={row} report={report} />
        <span className="ml-auto flex items-center gap-2">
          <Speed row={row} whatIf={whatIf} />
          <IconButton icon={Table2} label={t("memory.asTable")} aria-pressed={isTable} onClick={() => setTable(!isTable)} />
        </span>
      </div>
      {predictions.map((prediction, index) => (
        <DevicePicture
          key={prediction.device.name}
          prediction={prediction}
          isHere={isHere}
          isTable={isTable}
          hasName={predictions.length > 1}
          hasLegend={index === predictions.length - 1}
        />
      ))}
      <Next row={row} whatIf={whatIf} />
    </div>
  )
}

function Sentence({ row, report }: { row: PlanChoice; report: PlanReport }) {
  const { t } = useTranslation()
  const worst = fullest(predictionsOf(row, report))
  const device = worst && (worst.device.kind === "cpu" ? t("memory.place.cpu") : worst.device.label)
  const words = () => {
    if (!worst || device === null) return t(`memory.verdict.${row.verdict}`)
    const over = formatBytes(Math.abs(worst.overBytes))
    if (row.verdict === "too_big") return t("memory.tooMuch", { size: over, device })
    const moved = row.devices
      .filter(({ kind, used_bytes }) => kind !== "gpu" && used_bytes > 0)
      .map(({ kind }) => t(`memory.place.${kind}`))
    if (row.verdict === "partly") return t("memory.runsPartly", { places: moved.join(t("memory.comma")) })
    if (row.verdict === "tight") {
      return worst.overBytes > 0 ? t("memory.usesReserve", { size: over, device }) : t("memory.leavesLittle", { size: over, device })
    }
    return t("memory.leaves", { size: over, device })
  }
  return (
    <p role="status" className="font-semibold">
      {words()}
    </p>
  )
}

function Speed({ row, whatIf }: { row: PlanChoice; whatIf: WhatIf }) {
  const { t } = useTranslation()
  if (whatIf.mode === "train" || !row.speed) return null
  const rate = formatTokensPerS(row.speed.tokensPerS)
  const words =
    row.verdict === "too_big"
      ? t("memory.speedIfItFitted", { rate })
      : row.speed.basis === "measured"
        ? t("memory.speedMeasured", { rate })
        : t("memory.speedBandwidth", { rate })
  return <span className="num text-12 text-ink-2">{words}</span>
}

interface DevicePictureProps {
  prediction: DevicePrediction
  isHere: boolean
  isTable: boolean
  hasName: boolean
  hasLegend: boolean
}

function DevicePicture({ prediction, isHere, isTable, hasName, hasLegend }: DevicePictureProps) {
  const { t } = useTranslation()
  const memory = mirror.use((part) => part.memory)
  const { device, segments, usedBytes, usableBytes } = prediction
  // Of what Nibble holds, that of its engine: what is predicted is the engine's too.
  const now: BarSegment[] =
    isHere && device.kind === "cpu" && memory
      ? divideMemory(memory)
          .own.filter(({ owner }) => owner !== "window")
          .map(({ owner, bytes }) => ({ owner, bytes: owner === "context" ? Math.max(0, bytes - memory.programBytes) : bytes }))
      : []
  const nowBytes = now.reduce((sum, { bytes }) => sum + bytes, 0)
  const scale = axisOf(prediction, nowBytes)
  const name = device.kind === "cpu" ? t("memory.place.cpu") : device.label
  const figures = t("memory.predictedBar", { used: formatBytes(usedBytes), usable: formatBytes(usableBytes), device: name })
  if (isTable) return <PredictedTable caption={figures} predicted={segments} now={now} />
  return (
    <div className="mt-2 first-of-type:mt-0">
      {hasName && <p className="mb-1 text-12 font-medium text-ink-2">{name}</p>}
      <div className="relative py-1.5">
        <MemoryBar label={figures} segments={segments} scale={scale} form="outline" limit={usableBytes} hasTrack={false} />
        <MemoryBar segments={now} scale={scale} size="small" hasTrack={false} className="mt-1 min-h-2" />
      </div>
      <p className="num flex flex-wrap gap-x-4 gap-y-0.5 text-12 text-ink-3">
        <span className={usedBytes > usableBytes ? "font-medium text-stop" : "font-medium text-ink"}>
          {t("memory.predicted", { size: formatBytes(usedBytes) })}
        </span>
        {now.length > 0 && <span>{t("memory.now", { size: formatBytes(nowBytes) })}</span>}
        <span className="ml-auto">
          {usableBytes > scale
            ? t("memory.usableBeyond", { size: formatBytes(usableBytes) })
            : t("memory.usable", { size: formatBytes(usableBytes) })}
        </span>
      </p>
      <ul className="num mt-2 flex flex-wrap gap-x-3.5 gap-y-1 text-12 text-ink-2">
        {segments.map(({ owner, bytes }) => (
          <li key={owner} className="flex items-center gap-1.5">
            <OwnerSwatch owner={owner} form="outline" />
            {`${t(`memory.owner.${owner}`)} ${formatBytes(bytes)}`}
          </li>
        ))}
        {hasLegend && <li className="ml-auto text-ink-3">{t("memory.legend")}</li>}
      </ul>
    </div>
  )
}

function PredictedTable({ caption, predicted, now }: { caption: string; predicted: BarSegment[]; now: BarSegment[] }) {
  const { t } = useTranslation()
  const present = new Set([...predicted, ...now].map(({ owner }) => owner))
  const owners = memoryOwners.filter((owner) => owner !== "logits").filter((owner) => present.has(owner))
  const of = (list: BarSegment[], owner: BarSegment["owner"]) => list.find((one) => one.owner === owner)?.bytes ?? 0
  const sum = (list: BarSegment[]) => list.reduce((total, { bytes }) => total + bytes, 0)
  const head = "py-1 text-right font-medium text-ink-3"
  return (
    <table className="num mt-2 w-full border-collapse text-13">
      <caption className="mb-1 text-left text-12 text-ink-3">{caption}</caption>
      <thead className="text-12">
        <tr>
          <th scope="col" className="py-1 text-left font-medium text-ink-3">
            {t("memory.ownerHead")}
          </th>
          <th scope="col" className={head}>
            {t("memory.predictedMib")}
          </th>
          <th scope="col" className={head}>
            {t("memory.nowMib")}
          </th>
        </tr>
      </thead>
      <tbody>
        {owners.map((owner) => (
          <tr key={owner} className="border-t border-line">
            <th scope="row" className="py-1 text-left font-normal">
              {t(`memory.owner.${owner}`)}
            </th>
            <td className="py-1 text-right">{mebibytes(of(predicted, owner))}</td>
            <td className="py-1 text-right">{mebibytes(of(now, owner))}</td>
          </tr>
        ))}
        <tr className="border-t border-line font-semibold">
          <th scope="row" className="py-1 text-left">
            {t("memory.sum")}
          </th>
          <td className="py-1 text-right">{mebibytes(sum(predicted))}</td>
          <td className="py-1 text-right">{mebibytes(sum(now))}</td>
        </tr>
      </tbody>
    </table>
  )
}

/** What can be done with it. */
function Next({ row, whatIf }: { row: PlanChoice; whatIf: WhatIf }) {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  const installed = useMain((main) => main.models)
  const additions = useMain((main) => main.additions)
  const model = plannable({ models: installed, additions }).find(({ path }) => path === whatIf.path)
  const stored = memoryPart.use(({ choices }) => choices[0]?.format)
  const step = nextStep({ model, row, stored, whatIf, load })
  if (!step) return null
  if (step.kind === "loaded") return <p className="mt-3 text-12 text-ink-3">{t("memory.isLoaded")}</p>
  const isLoading = load.state === "loading"
  return (
    <div className="mt-3 flex justify-end">
      <Button kind="primary" onClick={() => void take(step)} unavailable={isLoading ? t("load.loading") : undefined}>
        {t(`memory.next.${step.kind}`)}
      </Button>
    </div>
  )
}
