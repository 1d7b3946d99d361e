// "Make it fit": changes in order of least loss, each with what it saves, what it costs, and whether it is enough.
import { CircleCheck } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { FitChange } from "../../shared/schema/plan.ts"
import { formatBytes, formatCount, formatName, formatTokensPerS } from "../lib/format.ts"
import { Button } from "../ui/button.tsx"

export function FitRows({ changes, onApply }: { changes: FitChange[] | null; onApply(change: FitChange): void }) {
  const { t } = useTranslation()
  if (!changes || changes.length === 0) return null
  return (
    <section aria-labelledby="memory-fit" className="mt-4">
      <h2 id="memory-fit" className="mb-1 text-13 font-semibold">
        {t("memory.makeItFit")}
      </h2>
      <ul className="sm:grid sm:grid-cols-[minmax(150px,auto)_minmax(0,1fr)_auto_auto_auto] sm:gap-x-4">
        {changes.map((change) => (
          <Row key={`${change.kind} ${change.from} ${change.to}`} change={change} onApply={onApply} />
        ))}
      </ul>
    </section>
  )
}

function Row({ change, onApply }: { change: FitChange; onApply(change: FitChange): void }) {
  const { t } = useTranslation()
  const { kind, from, to, savesBytes, fitsAfter, spareBytes } = change
  const title = t(`memory.fit.${kind}`, { from: readable(kind, from), to: readable(kind, to) })
  return (
    <li className="flex min-h-10 flex-wrap items-center gap-x-4 gap-y-0.5 border-t border-line py-1.5 text-13 first:border-t-0 sm:col-span-5 sm:grid sm:grid-cols-subgrid">
      <span className="font-medium max-sm:basis-full">{title}</span>
      <Cost change={change} />
      <span className="num text-right font-semibold whitespace-nowrap">{`−${formatBytes(savesBytes)}`}</span>
      <span className="num flex items-center justify-end gap-1.5 text-12 whitespace-nowrap max-sm:flex-1">
        {fitsAfter ? (
          <span className="flex items-center gap-1.5 font-medium text-ok">
            <CircleCheck size={14} strokeWidth={1.75} aria-hidden />
            {t("memory.fit.enough", { size: formatBytes(Math.max(0, spareBytes)) })}
          </span>
        ) : (
          <span className="text-ink-2">{t("memory.fit.stillOver", { size: formatBytes(Math.max(0, -spareBytes)) })}</span>
        )}
      </span>
      <Button size="small" aria-label={t("memory.fit.applyLabel", { change: title })} onClick={() => onApply(change)}>
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
  return (
    <span className="num text-12 text-ink-2 max-sm:basis-full max-sm:empty:hidden">
      {[words, speed].filter((one) => one !== null).join(t("memory.comma"))}
    </span>
  )
}

/** Numbers and formats as people read them; anything else as the planner wrote it. */
function readable(kind: FitChange["kind"], value: string): string {
  if (kind === "format" || kind === "embeddings") return formatName(value)
  return /^\d+$/.test(value) ? formatCount(Number(value)) : value
}
