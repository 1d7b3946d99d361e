// The left half: memory, disk and graphics cards by owner, as they are now, and the last minute.
import { EjectIcon, Info, Table2 } from "lucide-react"
import { type ReactNode, useMemo } from "react"
import { useTranslation } from "react-i18next"
import type { GpuSnapshot, MemorySnapshot } from "../../../shared/schema/system.ts"
import { formatBytes, formatCount, formatDecimal, formatGib } from "../../lib/format.ts"
import { mirror, useMain } from "../../lib/mirror.ts"
import { IconButton } from "../../ui/button.tsx"
import { type BarSegment, MemoryBar } from "../../ui/memory-bar.tsx"
import { Sparkline } from "../../ui/sparkline.tsx"
import { useMedia } from "../../ui/use-media.ts"
import { ejectWithProof } from "./actions.ts"
import { mebibytes } from "./figures.ts"
import { everySeconds, lastMinute, type Sample, series, shown_s } from "./history.ts"
import { OwnerTable } from "./owner-table.tsx"
import { divideMemory, gpuSegments, memorySegments } from "./owners.ts"
import { memoryPart } from "./state.ts"

export function WhatIs() {
  const { t } = useTranslation()
  const memory = mirror.use((part) => part.memory)
  const isTable = memoryPart.use((part) => part.isTable)
  return (
    <section aria-labelledby="memory-is" className="min-w-0 p-5 pr-6 pl-8 max-md:pr-8 max-sm:px-4">
      <div className="mb-3 flex min-h-8 items-center gap-3">
        <h1 id="memory-is" className="text-16 font-semibold tracking-title">
          {t("memory.whatIs")}
        </h1>
        <span className="ml-auto text-12 text-ink-3">{t("memory.everySecond")}</span>
        <IconButton
          icon={Table2}
          label={t("memory.asTable")}
          aria-pressed={isTable}
          onClick={() => memoryPart.update({ isTable: !isTable })}
        />
      </div>
      {memory ? <Measured memory={memory} isTable={isTable} /> : <p className="text-13 text-ink-3">{t("memory.measuring")}</p>}
    </section>
  )
}

function Measured({ memory, isTable }: { memory: MemorySnapshot; isTable: boolean }) {
  const { t } = useTranslation()
  const division = divideMemory(memory)
  const { totalBytes, usedBytes } = division
  return (
    <div>
      {memory.gpus.map((gpu) => (
        <Gpu key={gpu.index} gpu={gpu} isTable={isTable} />
      ))}
      <Device
        name={t("memory.ram")}
        figure={
          <>
            <b className="font-semibold">{formatGib(usedBytes)}</b> <span className="text-ink-2">{`/ ${formatGib(totalBytes)} GiB`}</span>
          </>
        }
        action={<Eject />}
      >
        {!isTable && (
          <MemoryBar
            label={t("memory.ramBar", {
              used: formatBytes(usedBytes),
              total: formatBytes(totalBytes),
              own: formatBytes(division.nibbleBytes),
            })}
            segments={memorySegments(division)}
            scale={totalBytes}
          />
        )}
        <Proof />
        <OwnerTable division={division} memory={memory} />
        <Minute isTable={isTable} />
      </Device>
      <Disk memory={memory} isTable={isTable} />
      {memory.missing.map(({ kind, name, detail }) => (
        <p key={kind} className="mt-3.5 flex gap-2.5 border-t border-line pt-3 text-13 leading-prose text-ink-2">
          <Info size={16} strokeWidth={1.75} aria-hidden className="mt-0.5 flex-none text-ink-3" />
          {t(`memory.gpu.${kind}`, { name, detail })}
        </p>
      ))}
    </div>
  )
}

interface DeviceProps {
  name: string
  detail?: string
  figure: ReactNode
  action?: ReactNode
  children: ReactNode
}

function Device({ name, detail, figure, action, children }: DeviceProps) {
  return (
    <div className="border-line not-first:mt-3.5 not-first:border-t not-first:pt-3">
      <div className="mb-2 flex items-center gap-2 text-13">
        <h2 className="font-semibold">{name}</h2>
        {detail && <span className="num min-w-0 truncate text-12 text-ink-2">{detail}</span>}
        <span className="num ml-auto whitespace-nowrap">{figure}</span>
        {action}
      </div>
      {children}
    </div>
  )
}

function Eject() {
  const { t } = useTranslation()
  const plan = useMain((main) => (main.load.state === "ready" ? main.load.model.plan : null))
  return (
    <IconButton
      icon={EjectIcon}
      label={plan ? t("memory.eject", { size: formatBytes(plan.total) }) : t("memory.nothingLoaded")}
      disabled={plan === null}
      onClick={() => void ejectWithProof()}
      className="-my-1.5"
    />
  )
}

/** What unloading gave back, as it was measured. */
function Proof() {
  const { t } = useTranslation()
  const proof = memoryPart.use((part) => part.proof)
  const isGone = useMain((main) => main.load.state === "none")
  const words = () => {
    if (!isGone || !proof || proof.after === null) return null
    const [before, after] = [mebibytes(proof.before), mebibytes(proof.after)]
    const freed = Math.max(0, proof.before - proof.after)
    return t("memory.proof", { freed: formatBytes(freed), before, after })
  }
  return (
    <p role="status" className="num mt-2 text-12 font-medium text-ok empty:hidden">
      {words()}
    </p>
  )
}

function Minute({ isTable }: { isTable: boolean }) {
  const { t } = useTranslation()
  // Whoever wants less motion gets a new picture every five seconds.
  const step = useMedia("(prefers-reduced-motion: reduce)") ? 5 : 1
  const round = memoryPart.use((part) => Math.floor(part.samples / step))
  // biome-ignore lint/correctness/useExhaustiveDependencies: the samples lie outside the store; `round` says that there are new ones.
  const { memory, busy, list } = useMemo(() => {
    const now = Date.now()
    const samples = lastMinute(now)
    return {
      list: samples,
      memory: series(samples, now, ({ nibbleBytes }) => nibbleBytes),
      busy: series(samples, now, ({ cpuBusy }) => cpuBusy),
    }
  }, [round])
  const newest = list.at(-1)
  if (!newest) return null
  if (isTable) return <MinuteTable samples={list} />
  const most = Math.max(...list.map(({ nibbleBytes }) => nibbleBytes))
  const charts = [
    { title: t("memory.minuteMemory"), figure: `${mebibytes(newest.nibbleBytes)} MiB`, data: memory, max: most * 1.15 },
    { title: t("memory.minuteCpu"), figure: `${formatDecimal(newest.cpuBusy * 100, 0)} %`, data: busy, max: 1 },
  ]
  return (
    <div className="mt-3 grid grid-cols-2 gap-4">
      {charts.map(({ title, figure, data, max }) => (
        <div key={title} className="min-w-0 text-ink-3">
          <p className="mb-1 flex gap-2 text-12">
            <span className="min-w-0 truncate">{title}</span>
            <span className="num ml-auto font-medium whitespace-nowrap text-ink">{figure}</span>
          </p>
          <Sparkline label={`${title}: ${figure}`} data={data} seconds={shown_s} max={max} />
        </div>
      ))}
    </div>
  )
}

const tableStep_s = 10

function MinuteTable({ samples }: { samples: Sample[] }) {
  const { t } = useTranslation()
  const rows = everySeconds(samples, tableStep_s)
  const newest = samples.at(-1)?.at ?? 0
  return (
    <table className="num mt-3 w-full border-collapse text-12">
      <caption className="mb-1 text-left text-12 text-ink-3">{t("memory.minute")}</caption>
      <thead className="text-ink-3">
        <tr>
          <Head>{t("memory.secondsAgo")}</Head>
          <Head isNumber>{t("memory.nibbleMib")}</Head>
          <Head isNumber>{t("memory.usedMib")}</Head>
          <Head isNumber>{t("memory.cpuPercent")}</Head>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ at, nibbleBytes, usedBytes, cpuBusy }) => (
          <tr key={at} className="border-t border-line">
            <td className="py-1">{formatCount(Math.round((newest - at) / 1000))}</td>
            <td className="py-1 text-right">{mebibytes(nibbleBytes)}</td>
            <td className="py-1 text-right">{mebibytes(usedBytes)}</td>
            <td className="py-1 text-right">{formatDecimal(cpuBusy * 100, 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Head({ isNumber = false, children }: { isNumber?: boolean; children: ReactNode }) {
  return (
    <th scope="col" className={`py-1 pl-2 font-medium first:pl-0 ${isNumber ? "text-right" : "text-left"}`}>
      {children}
    </th>
  )
}

function Disk({ memory: { disk }, isTable }: { memory: MemorySnapshot; isTable: boolean }) {
  const { t } = useTranslation()
  const { totalBytes, freeBytes, modelsBytes, offloadBytes } = disk
  if (totalBytes === 0) return null
  const other = Math.max(0, totalBytes - freeBytes - modelsBytes - offloadBytes)
  const segments: BarSegment[] = [
    { owner: "weights", bytes: modelsBytes + offloadBytes },
    { owner: "other", bytes: other },
    { owner: "free", bytes: freeBytes },
  ]
  const detail = t("memory.diskModels", { size: formatBytes(modelsBytes) })
  return (
    <Device
      name={t("memory.disk")}
      detail={detail}
      figure={
        <>
          <b className="font-semibold">{formatGib(freeBytes)}</b>{" "}
          <span className="text-ink-2">{t("memory.diskFree", { total: formatGib(totalBytes) })}</span>
        </>
      }
    >
      {isTable ? (
        <dl className="num grid grid-cols-[1fr_auto] gap-y-1 text-12">
          <dt>{t("memory.models")}</dt>
          <dd className="text-right">{formatBytes(modelsBytes)}</dd>
          <dt>{t("memory.diskOther")}</dt>
          <dd className="text-right">{formatBytes(other)}</dd>
          <dt>{t("memory.owner.free")}</dt>
          <dd className="text-right">{formatBytes(freeBytes)}</dd>
        </dl>
      ) : (
        <MemoryBar label={`${t("memory.disk")}: ${detail}`} segments={segments} scale={totalBytes} size="thin" />
      )}
    </Device>
  )
}

/** A card whose driver tells. */
function Gpu({ gpu, isTable }: { gpu: GpuSnapshot; isTable: boolean }) {
  const { t } = useTranslation()
  const { index, name, totalBytes, nibbleBytes, freeBytes, others, busy, celsius, watts } = gpu
  const used = totalBytes - freeBytes
  const live = [
    ...(busy === null ? [] : [{ name: t("memory.busy"), value: `${formatDecimal(busy * 100, 0)} %` }]),
    ...(celsius === null ? [] : [{ name: t("memory.heat"), value: `${formatDecimal(celsius, 0)} °C` }]),
    ...(watts === null ? [] : [{ name: t("memory.power"), value: `${formatDecimal(watts, 0)} W` }]),
  ]
  const rows = [
    { name: "Nibble", bytes: nibbleBytes },
    ...others.map((other) => ({ name: other.name, bytes: other.bytes })),
    { name: t("memory.owner.free"), bytes: freeBytes },
  ]
  return (
    <Device
      name={t("memory.gpuName", { index: formatCount(index) })}
      detail={name}
      figure={
        <>
          <b className="font-semibold">{formatGib(used)}</b> <span className="text-ink-2">{`/ ${formatGib(totalBytes)} GiB`}</span>
        </>
      }
    >
      {!isTable && (
        <MemoryBar
          label={t("memory.ramBar", { used: formatBytes(used), total: formatBytes(totalBytes), own: formatBytes(nibbleBytes) })}
          segments={gpuSegments(gpu)}
          scale={totalBytes}
        />
      )}
      <dl className="num mt-2 grid grid-cols-[1fr_auto] gap-y-1 text-13">
        {rows.map((row) => (
          <div key={row.name} className="contents">
            <dt>{row.name}</dt>
            <dd className="text-right">{mebibytes(row.bytes)}</dd>
          </div>
        ))}
        {live.map((figure) => (
          <div key={figure.name} className="contents text-ink-2">
            <dt>{figure.name}</dt>
            <dd className="text-right">{figure.value}</dd>
          </div>
        ))}
      </dl>
    </Device>
  )
}
