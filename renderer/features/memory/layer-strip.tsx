// Where the layers go: one cell each, in the order of the model, and handles between the runs of GPU, memory and disk.
import { type KeyboardEvent, type PointerEvent, useRef } from "react"
import { useTranslation } from "react-i18next"
import type { PlanChoice, PlanReport } from "../../../shared/schema/plan.ts"
import { formatCount } from "../../lib/format.ts"
import { Button } from "../../ui/button.tsx"
import { cx } from "../../ui/class-names.ts"
import { change } from "./actions.ts"
import "./layer-strip.css"
import { type DeviceMap, type Place, placeLayers, placementOf } from "./placement.ts"

interface LayerStripProps {
  row: PlanChoice
  report: PlanReport
  /** As wished, by hand or automatically: ahead of the row while that is computed. */
  wish: "auto" | DeviceMap
}

export function LayerStrip({ row, report, wish }: LayerStripProps) {
  const { t } = useTranslation()
  const strip = useRef<HTMLDivElement>(null)
  const map = wish === "auto" ? row.device_map : wish
  const { layers, ends, counts } = placementOf(map)
  if (layers.length === 0) return null
  const hasGpu = report.devices.some(({ kind }) => kind === "gpu")
  const move = (gpu: number, cpu: number) => change({ deviceMap: placeLayers(map, { gpu, cpu }, report.devices) })
  // A boundary is a number of layers before it; the second pushes the first when it would pass it.
  const moveFirst = (at: number) => move(at, Math.max(0, counts.gpu + counts.cpu - at))
  const moveSecond = (at: number) => move(Math.min(counts.gpu, at), Math.max(0, at - counts.gpu))
  const zones: Place[] = hasGpu ? ["gpu", "cpu", "disk"] : ["cpu", "disk"]
  return (
    <div className="mb-4">
      <div className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-1">
        <h2 className="text-12 font-medium text-ink-3">{t("memory.layersGo")}</h2>
        {wish !== "auto" && (
          <Button kind="ghost" size="small" onClick={() => change({ deviceMap: "auto" })}>
            {t("memory.automatic")}
          </Button>
        )}
        <ul className="num ml-auto flex flex-wrap gap-x-3.5 gap-y-1 text-12 text-ink-2 max-sm:ml-0">
          {zones.map((place) => (
            <li key={place} className="flex items-center gap-1.5">
              <span aria-hidden data-place={place} className="layer-cell size-3 rounded-[2px]" />
              {`${t(`memory.place.${place}`)} · ${counts[place] === 0 ? t("memory.none") : t("memory.layers", { count: counts[place] })}`}
            </li>
          ))}
        </ul>
      </div>
      {/* Cells and handles keep their places in the document, so that a handle that moves keeps the focus; where they stand is their order. */}
      <div ref={strip} className="flex h-[26px] touch-none gap-px">
        <span aria-hidden className="mr-1.5 flex gap-px max-sm:mr-1" style={{ order: -1 }}>
          {ends.map(({ module, place }) => (
            <span key={module} data-place={place} title={module} className="layer-cell w-3.5 rounded-[2px] max-sm:w-1.5" />
          ))}
        </span>
        {layers.map(({ module, place }, index) => (
          <span
            key={module}
            aria-hidden
            data-place={place}
            data-layer
            title={module}
            className="layer-cell min-w-px flex-1 rounded-[2px]"
            style={{ order: 2 * index + 1 }}
          />
        ))}
        {hasGpu && <Handle label={t("memory.gpuToRam")} at={counts.gpu} last={layers.length} strip={strip} onMove={moveFirst} />}
        <Handle label={t("memory.ramToDisk")} at={counts.gpu + counts.cpu} last={layers.length} strip={strip} onMove={moveSecond} />
      </div>
    </div>
  )
}

interface HandleProps {
  label: string
  /** Layers before it. */
  at: number
  last: number
  strip: { current: HTMLDivElement | null }
  onMove(at: number): void
}

const pages = 4

function Handle({ label, at, last, strip, onMove }: HandleProps) {
  const { t } = useTranslation()
  const go = (to: number) => {
    const next = Math.max(0, Math.min(last, to))
    if (next !== at) onMove(next)
  }
  const press = (event: KeyboardEvent) => {
    const to: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at - pages,
      PageUp: at + pages,
      Home: 0,
      End: last,
    }
    const next = to[event.key]
    if (next === undefined) return
    event.preventDefault()
    go(next)
  }
  /** The boundary nearest to the pointer. */
  const drag = (event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    const cells = [...(strip.current?.querySelectorAll("[data-layer]") ?? [])].map((cell) => cell.getBoundingClientRect())
    go(cells.filter(({ left, width }) => left + width / 2 < event.clientX).length)
  }
  return (
    <span
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={at}
      style={{ order: 2 * at }}
      aria-valuetext={t("memory.layersBefore", { count: at, n: formatCount(last) })}
      onKeyDown={press}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      className={cx(
        "relative -my-1 mx-0.5 w-2.5 flex-none cursor-ew-resize rounded-small border-[1.5px] border-accent bg-raised",
        "after:absolute after:inset-y-2 after:left-1/2 after:-ml-px after:w-[1.5px] after:bg-accent",
      )}
    />
  )
}
