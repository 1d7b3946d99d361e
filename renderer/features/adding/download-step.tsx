// Step 3: every file with its state, so that one sees what is waited for and what went wrong; it can be left and found again.
import { CircleCheck, CircleX, Clock, Pause, Play, RotateCw } from "lucide-react"
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { Addition, AdditionFile } from "../../../shared/schema/addition.ts"
import type { JobProgress } from "../../../shared/schema/job.ts"
import { failureTitle } from "../../lib/failure.ts"
import { formatBytes, formatCount, formatDone, formatRate, formatTimeLeft } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { ProgressBar } from "../../ui/progress-bar.tsx"
import { pause, remove, start } from "./actions.ts"
import { AdditionFailure } from "./failure.tsx"

export function DownloadStep({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const endpoint = useMain((main) => main.hub.endpoint)
  const { download, files } = addition
  const verified = files.filter(({ state }) => state === "verified" || state === "cached" || state === "used").length
  return (
    <>
      <AdditionFailure addition={addition} />
      <section aria-label={t("adding.step.download")} className="rounded-card border border-line bg-card p-4">
        <Figures title={t("adding.downloading")} progress={download} />
        <p role="status" className="mt-2 text-12 text-ink-3">
          {t("adding.verified", { done: formatCount(verified), total: formatCount(files.length) })} · {t("adding.from", { endpoint })}
        </p>
        <ul className="mt-3">
          {files.map((file) => (
            <FileRow key={file.name} file={file} />
          ))}
        </ul>
      </section>
      <WorkFooter addition={addition} />
    </>
  )
}

/** Done, total, speed and time left, in that order, above the bar. */
export function Figures({ title, progress }: { title: string; progress: JobProgress | null }) {
  const { t } = useTranslation()
  const fraction = progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : null
  return (
    <>
      <div className="mb-2 flex flex-wrap items-baseline gap-x-3">
        <h2 className="flex-1 text-16 font-semibold tracking-title">{title}</h2>
        {progress && (
          <p className="num text-13 text-ink-2">
            {[
              formatDone(progress),
              formatRate(progress),
              progress.secondsLeft === null ? "" : t("job.left", { time: formatTimeLeft(progress.secondsLeft) }),
            ]
              .filter(Boolean)
              .join(" · ")}
          </p>
        )}
      </div>
      <ProgressBar label={title} fraction={progress ? fraction : 0} />
    </>
  )
}

const icons = {
  waiting: Clock,
  running: RotateCw,
  retrying: Clock,
  verifying: RotateCw,
  verified: CircleCheck,
  cached: CircleCheck,
  used: CircleCheck,
  failed: CircleX,
}
const colors: Partial<Record<AdditionFile["state"], string>> = {
  verified: "text-ok",
  cached: "text-ok",
  used: "text-ok",
  retrying: "text-caution",
  failed: "text-stop",
}

function FileRow({ file: { name, bytes, done, state, error, retryAt } }: { file: AdditionFile }) {
  const { t } = useTranslation()
  const Icon = icons[state]
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-0.5 border-t border-line py-2 text-13 first:border-t-0">
      <span className="min-w-[200px] flex-1 truncate font-mono text-12" title={name}>
        {name}
      </span>
      <span className="num w-40 text-right text-12 text-ink-2 max-sm:w-auto">
        {state === "running" ? `${formatBytes(done)} / ${formatBytes(bytes)}` : formatBytes(bytes)}
      </span>
      <span className={`flex w-44 items-center gap-1.5 text-12 font-medium max-sm:w-auto ${colors[state] ?? "text-ink-2"}`}>
        <Icon size={14} strokeWidth={1.75} aria-hidden className="flex-none" />
        {t(`adding.file.${state}`)}
      </span>
      {error && state !== "verified" && (
        <p className="basis-full text-12 text-ink-2">
          {failureTitle(error.code)}
          {retryAt !== null && <RetryTime at={retryAt} />}
          {". "}
          <span lang="en">{error.message}</span>
        </p>
      )}
    </li>
  )
}

/** Counts down, so that a long wait is seen to be one. */
function RetryTime({ at }: { at: number }) {
  const { t } = useTranslation()
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return <>{`, ${t("adding.retryIn", { time: formatTimeLeft(Math.max(0, (at - now) / 1000)) })}`}</>
}

/** What can be done with the work, whichever step is looked at. */
export function WorkFooter({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const { id, state, error } = addition
  const isAtWork = state === "running" || state === "waiting"
  return (
    <footer className="mt-4 flex flex-wrap items-center gap-2">
      <p className="min-w-[220px] flex-1 text-13 text-ink-3">
        {isAtWork ? t("adding.canLeave") : state === "paused" ? t("adding.rests") : null}
      </p>
      {state !== "done" && (
        <Button kind="ghost" onClick={() => void remove(addition)}>
          {t("adding.stop")}
        </Button>
      )}
      {isAtWork && (
        <Button icon={Pause} onClick={() => void pause(id)}>
          {t("adding.pause")}
        </Button>
      )}
      {state === "paused" && !error && (
        <Button kind="primary" icon={Play} onClick={() => void start(id)}>
          {t("adding.goOn")}
        </Button>
      )}
    </footer>
  )
}
