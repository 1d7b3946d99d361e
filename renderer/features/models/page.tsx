import { Plus } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Job } from "../../../shared/schema/job.ts"
import { describeFailure } from "../../lib/failure.ts"
import { useMain } from "../../lib/mirror.ts"
import { openAdding } from "../../lib/navigation.ts"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { dismissJob } from "./actions.ts"
import { DetailsDialog } from "./details-dialog.tsx"
import { CancelButton, JobFigures } from "./job-progress.tsx"
import { ModelRow } from "./model-row.tsx"
import { OutliersDialog } from "./outliers-dialog.tsx"
import { QuantizeDialog } from "./quantize-dialog.tsx"
import { RemoveDialog } from "./remove-dialog.tsx"
import { models, shownJobs, sortModels } from "./state.ts"

export function ModelsPage() {
  const { t } = useTranslation()
  const installed = useMain((main) => main.models)
  const jobs = useMain((main) => main.jobs)
  return (
    <div className="mx-auto max-w-[960px] p-8 pt-5 max-lg:p-6 max-sm:p-4">
      <header className="mb-4 flex min-h-8 items-center gap-3">
        <h1 className="flex-1 text-16 font-semibold tracking-title">{t("place.models")}</h1>
        <Button kind="primary" icon={Plus} onClick={() => openAdding("new")}>
          {t("models.add")}
        </Button>
      </header>
      {shownJobs(jobs).map((job) => (
        <JobCard key={job.id} job={job} />
      ))}
      {installed.length === 0 ? (
        <p className="rounded-card border border-line bg-card px-4 py-8 text-center text-13 text-ink-3">{t("models.empty")}</p>
      ) : (
        <ul className="rounded-card border border-line bg-card">
          {sortModels(installed).map((model) => (
            <ModelRow key={model.id} model={model} />
          ))}
        </ul>
      )}
    </div>
  )
}

function JobCard({ job }: { job: Job }) {
  const { t } = useTranslation()
  if (job.state === "failed" && job.error) {
    const failure = describeFailure(job.error)
    return (
      <FailureNote
        className="mb-3"
        failure={{ ...failure, title: t("job.failed", { name: job.subject, why: failure.title }) }}
        action={
          <Button size="small" onClick={() => void dismissJob(job.id)}>
            {t("job.dismiss")}
          </Button>
        }
      />
    )
  }
  return (
    <section aria-label={job.subject} className="mb-3 rounded-card border border-line bg-card p-4">
      <header className="mb-2 flex items-center gap-3">
        <h2 className="min-w-0 flex-1 truncate text-13 font-semibold">{job.subject}</h2>
        <CancelButton job={job} />
      </header>
      <JobFigures job={job} />
    </section>
  )
}

/** Over whatever place is shown: the first screen and the palette open these too. */
export function ModelsDialogs() {
  const dialog = models.use((part) => part.dialog)
  const installed = useMain((main) => main.models)
  if (dialog === null) return null
  const model = installed.find((one) => one.id === dialog.modelId)
  if (!model) return null
  if (dialog.kind === "details") return <DetailsDialog model={model} />
  if (dialog.kind === "quantize") return <QuantizeDialog model={model} />
  return dialog.kind === "outliers" ? <OutliersDialog model={model} /> : <RemoveDialog model={model} />
}
