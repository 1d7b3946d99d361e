// "Make it fit": changes in order of least loss, each with what it saves, what it costs, and whether it is enough.
import { CircleCheck } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { FitChange } from "../../../shared/schema/plan.ts"
import { formatBytes, formatCount, formatName, formatTokensPerS } from "../../lib/format.ts"
import { Button } from "../../ui/button.tsx"
import { applyChange } from "./actions.ts"
import { memoryPart } from "./state.ts"

export function FitRows() {
  const { t } = useTranslation()
  const fit = memoryPart.use((part) => part.fit)
  if (!fit || fit.length === 0) return null
  return (
    <section aria-labelledby="memory-fit" className="mt-4">
      <h2 id="memory-fit" className="mb-1 text-13 font-semibold">
        {t("memory.makeItFit")}
      </h2>
      <ul>
        {fit.map((change) => (
          <Row key={`${change.kind} ${change.from} ${change.to}`} change={change} />
        ))}
      </ul>
    </section>
  )
}

function Row({ change }: { change: FitChange }) {
  const { t } = useTranslation()
  const { kind, from, to, savesBytes, fitsAfter, spareBytes } = change
  const title = t(`memory.fit.${kind}`, { from: readable(kind, from), to: readable(kind, to) })
  return (
    <li className="flex min-h-10 flex-wrap items-center gap-x-4 gap-y-0.5 border-t border-line py-1.5 text-13 first:border-t-0">
      <span className="min-w-[180px] flex-[2] font-medium">{title}</span>
      <Cost change={change} />
      <span className="num w-20 text-right font-semibold">{`−${formatBytes(savesBytes)}`}</span>
      <span className="num flex w-[150px] items-center justify-end gap-1.5 text-12 max-sm:flex-1">
        {fitsAfter ? (
          <span className="flex items-center gap-1.5 font-medium text-ok">
            <CircleCheck size={14} strokeWidth={1.75} aria-hidden />
            {t("memory.fit.enough", { size: formatBytes(Math.max(0, spareBytes)) })}
          </span>
        ) : (
          <span className="text-ink-2">{t("memory.fit.stillOver", { size: formatBytes(Math.max(0, -spareBytes)) })}</span>
        )}
      </span>
      <Button size="small" aria-label={t("memory.fit.applyLabel", { change: title })} onClick={() => applyChange(change)}>
        {t("memory.fit.apply")}
      </Button>
    </li>
  )
}

function Cost({ change: { cost, speedBefore, speedAfter } }: { change: FitChange }) {
  const { t } = useTranslation()
  const speed =
    speedBefore !== null && speedAfter !== null && Math.abs(speedAfter - speedBefore) > 0.02 * speedBefore
      ? t("memory.fit.speed", { before: formatTokensPerS(speedBefore), after: formatTokensPerS(speedAfter) })
      : null
  const words = cost === "none" || (cost === "speed" && speed) ? null : t(`memory.fit.cost.${cost}`)
  return <span className="num min-w-[120px] flex-1 text-12 text-ink-2">{[words, speed].filter((one) => one !== null).join(", ")}</span>
}

/** Numbers and formats as people read them; anything else as the planner wrote it. */
function readable(kind: FitChange["kind"], value: string): string {
  if (kind === "format" || kind === "embeddings") return formatName(value)
  return /^\d+$/.test(value) ? formatCount(Number(value)) : value
}
