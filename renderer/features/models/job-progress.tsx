// Long work: its steps, then of the step at hand done / total, rate and time left. The width of numbers is reserved.
import { Check } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Job } from "../../../shared/schema/job.ts"
import { formatDone, formatRate, formatTimeLeft } from "../../lib/format.ts"
import { Button } from "../../ui/button.tsx"
import { cx } from "../../ui/class-names.ts"
import { ProgressBar } from "../../ui/progress-bar.tsx"
import { cancelJob } from "./actions.ts"
import { jobSteps, phaseFraction } from "./state.ts"

export function JobSteps({ job }: { job: Job }) {
  const { t } = useTranslation()
  return (
    <ol className="flex gap-2">
      {jobSteps(job).map(({ step, is }, at) => (
        <li
          key={step}
          aria-current={is === "now" ? "step" : undefined}
          className={cx(
            "flex min-w-0 flex-1 items-center gap-1.5 border-t-2 pt-2.5 text-13 font-medium",
            is === "now" ? "border-accent text-accent-ink" : is === "done" ? "border-ink-3 text-ink" : "border-line-strong text-ink-3",
          )}
        >
          {is === "done" ? (
            <Check size={14} strokeWidth={2} className="flex-none text-ok" aria-label={t("job.stepDone")} />
          ) : (
            <span className="num">{at + 1}</span>
          )}
          <span className="truncate">{t(`job.step.${step}`)}</span>
        </li>
      ))}
    </ol>
  )
}

export function JobFigures({ job }: { job: Job }) {
  const { t } = useTranslation()
  const { progress } = job
  const fraction = phaseFraction(progress)
  const done = progress.phase === "waiting" ? "" : formatDone(progress)
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 text-13">
        <span className="font-semibold">{t(`job.phase.${progress.phase}`)}</span>
        <span className="num whitespace-nowrap text-ink-2">{done}</span>
        <span className="num ml-auto min-h-[18px] text-right whitespace-nowrap text-ink-2 max-sm:ml-0 max-sm:basis-full max-sm:text-left">
          {[formatRate(progress), progress.secondsLeft === null ? "" : t("job.left", { time: formatTimeLeft(progress.secondsLeft) })]
            .filter(Boolean)
            .join(", ")}
        </span>
      </div>
      <ProgressBar label={t(`job.phase.${progress.phase}`)} fraction={fraction} valueText={done} />
      <p className="h-4 truncate font-mono text-12 text-ink-3">{progress.item}</p>
    </div>
  )
}

export function CancelButton({ job }: { job: Job }) {
  const { t } = useTranslation()
  return (
    <Button kind="plain" onClick={() => void cancelJob(job.id)}>
      {t("common.cancel")}
    </Button>
  )
}
