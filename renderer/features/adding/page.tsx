// The wizard: five steps on one page, from a model's name to a chat. What main works on survives every leave and every restart.
import { ChevronRight } from "lucide-react"
import { useEffect } from "react"
import { useTranslation } from "react-i18next"
import type { Addition } from "../../../shared/schema/addition.ts"
import { useMain } from "../../lib/mirror.ts"
import { goTo, openAdding } from "../../lib/navigation.ts"
import { Button } from "../../ui/button.tsx"
import { enter } from "./actions.ts"
import { ChooseStep } from "./choose-step.tsx"
import { DoneStep } from "./done-step.tsx"
import { DownloadStep } from "./download-step.tsx"
import { PlanStep } from "./plan-step.tsx"
import { QuantizeStep } from "./quantize-step.tsx"
import { adding as part, shownStep, stepOf } from "./state.ts"
import { StepsNav } from "./steps-nav.tsx"

/** `adding`: "new", or the id of an addition. */
export function AddingPage({ adding }: { adding: string }) {
  const { t } = useTranslation()
  const addition = useMain((main) => main.additions.find(({ id }) => id === adding) ?? null)
  useEffect(enter, [])
  return (
    <div className="mx-auto max-w-[1200px] p-8 pt-5 max-lg:p-6 max-sm:p-4">
      <nav aria-label={t("adding.where")} className="mb-4 flex min-h-8 items-center gap-2 text-16">
        <button type="button" onClick={() => goTo("models")} className="rounded-small text-13 text-ink-3 hover:text-ink">
          {t("place.models")}
        </button>
        <ChevronRight size={14} aria-hidden className="text-ink-3" />
        <h1 className="text-16 font-semibold tracking-title">{t("adding.title")}</h1>
      </nav>
      <StepsNav addition={addition} />
      {adding === "new" ? <ChooseStep /> : addition ? <WorkStep key={addition.id} addition={addition} /> : <Gone />}
    </div>
  )
}

function WorkStep({ addition }: { addition: Addition }) {
  const viewed = part.use(({ viewed: one }) => one)
  const step = shownStep(addition, viewed)
  // When the work moves on, so does who watches it.
  const at = stepOf(addition)
  // biome-ignore lint/correctness/useExhaustiveDependencies: of each new step.
  useEffect(() => () => part.update({ viewed: null }), [at])
  if (step === "plan") return <PlanStep addition={addition} />
  if (step === "download") return <DownloadStep addition={addition} />
  if (step === "quantize") return <QuantizeStep addition={addition} />
  return <DoneStep addition={addition} />
}

/** Removed meanwhile, or an old address. */
function Gone() {
  const { t } = useTranslation()
  return (
    <div className="rounded-card border border-line bg-card px-4 py-8 text-center text-13 text-ink-2">
      <p className="mb-3">{t("adding.gone")}</p>
      <Button onClick={() => openAdding("new")}>{t("adding.another")}</Button>
    </div>
  )
}
