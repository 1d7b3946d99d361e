import { Check } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Addition } from "../../../shared/schema/addition.ts"
import { formatBytes, formatName } from "../../lib/format.ts"
import { openAdding } from "../../lib/navigation.ts"
import { cx } from "../../ui/class-names.ts"
import { view } from "./actions.ts"
import { adding, downloadBytes, isReachable, type Step, shownStep, stepOf, steps } from "./state.ts"

/** Where one is, and the way back; each step says in a line what it is about. */
export function StepsNav({ addition }: { addition: Addition | null }) {
  const { t } = useTranslation()
  const viewed = adding.use((part) => part.viewed)
  const shown: Step = addition ? shownStep(addition, viewed) : "choose"
  const at = addition ? steps.indexOf(stepOf(addition)) : 0
  const open = (step: Step) => (step === "choose" ? openAdding("new") : addition && view(addition.id, step))
  return (
    <nav aria-label={t("adding.steps")} className="mb-6">
      <ol className="grid grid-cols-5 gap-2 max-sm:gap-1">
        {steps.map((step, index) => {
          const isDone = addition !== null && (index < at || addition.state === "done")
          const isHere = step === shown
          const isOpen = isReachable(step, addition)
          return (
            <li key={step}>
              <button
                type="button"
                disabled={!isOpen}
                aria-current={isHere ? "step" : undefined}
                onClick={() => open(step)}
                className={cx(
                  "block w-full border-t-2 pt-2 text-left",
                  isHere ? "border-accent" : isDone ? "border-ink-2" : "border-track",
                  isOpen ? "hover:border-accent-line" : "cursor-default",
                )}
              >
                <span
                  className={cx(
                    "flex items-center gap-1.5 text-13 font-semibold",
                    isHere ? "text-accent-ink" : isOpen ? "text-ink" : "text-ink-3",
                  )}
                >
                  {isDone && !isHere ? (
                    <Check size={14} strokeWidth={2} aria-hidden className="flex-none text-ok" />
                  ) : (
                    <span aria-hidden className="num">
                      {index + 1}
                    </span>
                  )}
                  <span className="truncate max-sm:sr-only">{t(`adding.step.${step}`)}</span>
                </span>
                <span className="mt-0.5 block truncate text-12 text-ink-3 max-sm:hidden">
                  <Detail step={step} addition={addition} />
                </span>
              </button>
            </li>
          )
        })}
      </ol>
      <p className="mt-2 text-13 font-semibold sm:hidden" aria-hidden>
        {t(`adding.step.${shown}`)}
      </p>
    </nav>
  )
}

function Detail({ step, addition }: { step: Step; addition: Addition | null }) {
  const { t } = useTranslation()
  if (!addition) return step === "choose" ? t("adding.stepDetail.choose") : null
  const { options, state } = addition
  if (step === "choose") return addition.name
  if (step === "plan") {
    if (state === "draft") return t("adding.stepDetail.nothingYet")
    return options.format === "stored" ? t("adding.asStored") : formatName(options.format)
  }
  if (step === "download") return addition.source.kind === "local" ? t("adding.stepDetail.local") : formatBytes(downloadBytes(addition))
  if (step === "quantize" && options.format === "stored") return t("adding.stepDetail.nothingToQuantize")
  return null
}
