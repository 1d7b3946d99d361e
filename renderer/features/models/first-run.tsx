// The first screen: a small model in one click, or one of the user's own. What gets it stays on this screen until the chat is ready.
import { Cpu, Download, FolderOpen, HardDrive, MemoryStick } from "lucide-react"
import { type ReactNode, useState } from "react"
import { useTranslation } from "react-i18next"
import type { QuantizedFormat } from "../../../shared/schema/format.ts"
import type { Job } from "../../../shared/schema/job.ts"
import { describeFailure } from "../../lib/failure.ts"
import { formatBytes, formatLicense, formatParameters } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { openAdding } from "../../lib/navigation.ts"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { Mark } from "../../ui/mark.tsx"
import { Note } from "../../ui/note.tsx"
import { Tag } from "../../ui/tag.tsx"
import { setUpStarter } from "./actions.ts"
import { FormatChoice } from "./format-choice.tsx"
import { CancelButton, JobFigures, JobSteps } from "./job-progress.tsx"
import type { FirstRun } from "./state.ts"

export function FirstRunPage({ view }: { view: Exclude<FirstRun, { show: "nothing" }> }) {
  const { t } = useTranslation()
  return (
    <div className="grid min-h-full place-items-center p-6 max-sm:px-4">
      <div className="w-full max-w-[520px]">
        <Mark size={40} className="mb-4" />
        <h1 className="text-28 leading-title font-semibold tracking-large">{t("first.title")}</h1>
        <p className="mt-2 mb-5 leading-prose text-balance text-ink-2">{t("first.lead")}</p>
        {view.show === "progress" ? <UnderWay job={view.job} /> : <Offer ended={view.ended} />}
        <Found />
      </div>
    </div>
  )
}

function Fact({ name, isText = false, children }: { name: string; isText?: boolean; children: ReactNode }) {
  return (
    <div>
      <dt className="mb-[3px] text-12 text-ink-3">{name}</dt>
      <dd className={isText ? "text-13" : "num text-13"}>{children}</dd>
    </div>
  )
}

function Offer({ ended }: { ended: Job | null }) {
  const { t } = useTranslation()
  const starter = useMain((main) => main.starter)
  const defaultFormat = useMain((main) => main.settings.defaultFormat)
  const [format, setFormat] = useState<QuantizedFormat>(defaultFormat)
  const [isStarting, setStarting] = useState(false)
  const begin = () => {
    setStarting(true)
    void setUpStarter(format).finally(() => setStarting(false))
  }
  return (
    <>
      {ended?.state === "failed" && ended.error && <FailureNote className="mb-3" failure={describeFailure(ended.error)} />}
      {ended?.state === "cancelled" && (
        <Note tone="plain" className="mb-3" title={t("first.cancelled")}>
          {t("first.cancelledDetail")}
        </Note>
      )}
      <section aria-label={t("first.starter")} className="rounded-card border border-line bg-card p-5">
        <div className="flex items-baseline gap-2">
          <h2 className="min-w-0 flex-1 truncate text-16 font-semibold tracking-title">{starter.name}</h2>
          <Tag>{t("first.starter")}</Tag>
        </div>
        <p className="mt-1.5 text-13 leading-prose text-ink-2">{t("first.starterDetail")}</p>
        <dl className="mt-4 flex flex-wrap gap-x-8 gap-y-3 max-sm:gap-x-5">
          <Fact name={t("first.download")}>{formatBytes(starter.downloadBytes)}</Fact>
          <Fact name={t("first.memory")}>{formatBytes(starter.memoryBytes)}</Fact>
          <Fact name={t("first.parameters")}>{formatParameters(starter.parameters)}</Fact>
          <Fact name={t("first.license")} isText>
            {formatLicense(starter.license)}
          </Fact>
        </dl>
        <p className="mt-3 text-12 leading-prose text-ink-3">{t(`first.source.${starter.source ?? "unknown"}`)}</p>
        <div className="mt-3 mb-5">
          <FormatChoice label={t("first.format")} value={format} onChange={setFormat} />
        </div>
        <Button kind="primary" size="large" icon={Download} className="w-full" disabled={isStarting} onClick={begin}>
          {t("first.begin")}
        </Button>
      </section>
      <section className="mt-3 flex items-center gap-3 rounded-card border border-line bg-card px-5 py-3.5 max-sm:flex-wrap">
        <FolderOpen size={20} strokeWidth={1.6} aria-hidden className="flex-none text-ink-2" />
        <div className="min-w-[180px] flex-1">
          <h2 className="text-13 font-medium">{t("first.own")}</h2>
          <p className="mt-0.5 text-12 text-ink-3">{t("first.ownDetail")}</p>
        </div>
        <Button onClick={() => openAdding("new")}>{t("first.choose")}</Button>
      </section>
    </>
  )
}

function UnderWay({ job }: { job: Job }) {
  const { t } = useTranslation()
  return (
    <section aria-label={t("first.progress", { name: job.subject })} className="rounded-card border border-line bg-card p-5">
      <h2 className="mb-4 truncate text-16 font-semibold tracking-title">{job.subject}</h2>
      <JobSteps job={job} />
      <div className="mt-5">
        <JobFigures job={job} />
      </div>
      <div className="mt-4 flex flex-wrap items-center gap-3">
        <p className="min-w-[180px] flex-1 text-12 text-ink-3">{t("first.canLeave")}</p>
        <CancelButton job={job} />
      </div>
    </section>
  )
}

/** What was found on this computer. */
function Found() {
  const { t } = useTranslation()
  const system = useMain((main) => main.system)
  return (
    <ul className="num mt-5 flex flex-wrap gap-x-4 gap-y-1.5 text-12 text-ink-3">
      <li className="flex items-center gap-1.5">
        <Cpu size={14} aria-hidden />
        {t("first.cpu", { cpu: system.cpu, count: system.cores, isa: system.isa.toUpperCase() })}
      </li>
      <li className="flex items-center gap-1.5">
        <MemoryStick size={14} aria-hidden />
        {t("first.ram", { size: formatBytes(system.memoryBytes) })}
      </li>
      <li className="flex items-center gap-1.5">
        <HardDrive size={14} aria-hidden />
        {t("first.disk", { size: formatBytes(system.diskFreeBytes) })}
      </li>
    </ul>
  )
}
