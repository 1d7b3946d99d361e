// The planner's verdicts: icon, word and color, always together.
import { CircleCheck, CircleX, type LucideIcon, Split, TriangleAlert } from "lucide-react"
import type { PlanVerdict } from "../../../shared/schema/plan.ts"

export const verdictLooks: Record<PlanVerdict, { icon: LucideIcon; color: string }> = {
  fits: { icon: CircleCheck, color: "text-ok" },
  tight: { icon: TriangleAlert, color: "text-caution" },
  partly: { icon: Split, color: "text-caution" },
  too_big: { icon: CircleX, color: "text-stop" },
}

export function VerdictIcon({ verdict, size = 16 }: { verdict: PlanVerdict; size?: number }) {
  const { icon: Icon, color } = verdictLooks[verdict]
  return <Icon size={size} strokeWidth={1.75} aria-hidden className={`flex-none ${color}`} />
}
