// The planner's verdicts: an icon and a color, always beside the word.
import { CircleCheck, CircleX, type LucideIcon, Split, TriangleAlert } from "lucide-react"
import type { PlanVerdict } from "../../shared/schema/plan.ts"

const icons: Record<PlanVerdict, LucideIcon> = { fits: CircleCheck, tight: TriangleAlert, partly: Split, too_big: CircleX }

export const verdictColors: Record<PlanVerdict, string> = {
  fits: "text-ok",
  tight: "text-caution",
  partly: "text-caution",
  too_big: "text-stop",
}

export function VerdictIcon({ verdict, size = 16 }: { verdict: PlanVerdict; size?: number }) {
  const Icon = icons[verdict]
  return <Icon size={size} strokeWidth={1.75} aria-hidden className={`flex-none ${verdictColors[verdict]}`} />
}
