// What to do, and when another way serves better, said where the choice is made, with the planner's figures for this computer.
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { Addition } from "../../../shared/schema/addition.ts"
import type { PlanAdvice, PlanReport } from "../../../shared/schema/plan.ts"
import { client } from "../../lib/client.ts"
import { attempt } from "../../lib/failure.ts"
import { formatBytes, formatCount, formatDecimal, formatName, formatShare, formatTokensPerS } from "../../lib/format.ts"
import { adding, chosenRow, planRequest } from "./state.ts"

export function Advice({ addition, report }: { addition: Addition; report: PlanReport }) {
  const { t } = useTranslation()
  const computer = adding.use((part) => part.plan?.computer ?? null)
  const [advice, setAdvice] = useState<PlanAdvice[]>([])
  const row = chosenRow(report, addition.options.format)
  const format = row?.format
  const context = row?.context ?? 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: the addition changes with every save; what advice depends on is named.
  useEffect(() => {
    if (!format) return
    let isCurrent = true
    void attempt(
      () => client["plan.advice"]({ ...planRequest(addition, { context, computer }), format }),
      () => {
        // A plan without advice is a plan.
      },
    ).then((found) => isCurrent && found && setAdvice(found))
    return () => {
      isCurrent = false
    }
  }, [addition.path, format, context, computer])
  if (advice.length === 0) return null
  return (
    <details className="mt-4 rounded-card border border-line bg-card px-4 py-3" open={advice.some(({ isPressing }) => isPressing)}>
      <summary className="text-13 font-medium">{t("adding.advice.title")}</summary>
      <ul className="mt-3 flex max-w-[80ch] flex-col gap-2 text-13 leading-prose text-ink-2">
        {advice.map((one) => (
          <li key={one.code} className={one.isPressing ? "font-medium text-ink" : undefined}>
            {/* To the types of i18next an underscore in a key begins a variant; at run time the whole key comes first. */}
            {t(`adding.advice.${one.code}` as "adding.advice.title", words(one))}
          </li>
        ))}
      </ul>
    </details>
  )
}

/** Figures as people read them, by what their names end in. */
function words({ figures, format }: PlanAdvice): { format: string } {
  const read = (name: string, value: number) => {
    if (name.endsWith("Bytes")) return formatBytes(value)
    if (name.endsWith("PerS")) return formatTokensPerS(value)
    if (name.endsWith("Share")) return formatShare(value)
    return Number.isInteger(value) ? formatCount(value) : formatDecimal(value, 1)
  }
  return {
    format: format ? formatName(format) : "",
    ...Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, read(name, value)])),
  }
}
