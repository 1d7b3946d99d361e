// What the hub has: one line a model, with what it is, whether it fits, and why it cannot be used where it cannot.
import { CircleX, Download, Lock } from "lucide-react"
import { type KeyboardEvent, useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { HubModelSummary } from "../../../shared/schema/hub.ts"
import { formatBytes, formatCount, formatLicense, formatName, formatParameters } from "../../lib/format.ts"
import { i18n } from "../../lib/i18n.ts"
import { Button } from "../../ui/button.tsx"
import { cx } from "../../ui/class-names.ts"
import { FailureNote } from "../../ui/failure-note.tsx"
import { Tag } from "../../ui/tag.tsx"
import { VerdictIcon, verdictColors } from "../../ui/verdict-icon.tsx"
import { chooseHub, search, searchMore } from "./actions.ts"
import { adding } from "./state.ts"

export function Hits() {
  const { t } = useTranslation()
  const found = adding.use((part) => part.search)
  const chosen = adding.use((part) => (part.chosen?.kind === "hub" ? part.chosen.name : null))
  const isLate = useLate(found.state === "loading")
  return (
    <section aria-label={t("adding.results")} aria-busy={found.state === "loading"}>
      <p role="status" className="sr-only">
        {found.state === "ready" && t("adding.found", { count: found.models.length })}
      </p>
      {found.state === "failed" && (
        <FailureNote
          className="mb-3"
          failure={found.failure}
          action={
            <Button size="small" onClick={() => void search()}>
              {t("adding.again")}
            </Button>
          }
        />
      )}
      {found.models.length > 0 ? (
        <ul
          onKeyDown={moveFocus}
          className={cx("rounded-card border border-line bg-card", found.state === "loading" && isLate && "opacity-60")}
        >
          {found.models.map((model) => (
            <Hit key={model.name} model={model} isChosen={model.name === chosen} />
          ))}
        </ul>
      ) : (
        found.state !== "failed" && (
          <div className="rounded-card border border-line bg-card px-4 py-8 text-center text-13 text-ink-3">
            {found.state === "ready" ? t("adding.nothing") : isLate ? t("adding.searching") : " "}
          </div>
        )
      )}
      {found.state === "ready" && found.cursor !== null && (
        <Button className="mt-3" onClick={() => void searchMore()}>
          {t("adding.more")}
        </Button>
      )}
    </section>
  )
}

const patience_ms = 300

/** True once something takes longer than one would notice. */
function useLate(isBusy: boolean): boolean {
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (!isBusy) return
    const timer = setTimeout(() => setLate(true), patience_ms)
    return () => clearTimeout(timer)
  }, [isBusy])
  return isLate
}

/** Arrow keys walk through the list. */
function moveFocus(event: KeyboardEvent<HTMLUListElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step === undefined) return
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("button")]
  const next = rows[rows.indexOf(document.activeElement as HTMLElement) + step]
  if (!next) return
  event.preventDefault()
  next.focus()
}

function Hit({ model, isChosen }: { model: HubModelSummary; isChosen: boolean }) {
  const { t } = useTranslation()
  const [owner, name] = model.name.split("/")
  const { supported, reason, best, verdict } = model
  return (
    <li className="border-t border-line first:border-t-0">
      <button
        type="button"
        aria-current={isChosen ? "true" : undefined}
        onClick={() => void chooseHub(model.name)}
        className={cx(
          "flex w-full flex-wrap items-center gap-x-4 gap-y-1 border-l-2 px-3.5 py-2.5 text-left -outline-offset-2",
          isChosen ? "border-accent bg-accent-soft" : "border-transparent hover:bg-hover",
        )}
      >
        <span className="min-w-[220px] flex-1">
          <span className={cx("block truncate text-13", !supported && "text-ink-3")}>
            <span className="text-ink-3">{owner}/</span>
            <span className="font-semibold">{name}</span>
          </span>
          <span className="mt-0.5 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-12 text-ink-3">
            {model.parameters !== null && <span className="num">{formatParameters(model.parameters)}</span>}
            {model.context !== null && <span className="num">{t("models.contextTokens", { n: formatCount(model.context) })}</span>}
            <span>{formatLicense(model.license)}</span>
            {model.updatedAt && <span>{month(model.updatedAt)}</span>}
            <span className="num inline-flex items-center gap-1">
              <Download size={12} aria-hidden />
              <span className="sr-only">{t("adding.downloads")}</span>
              {compact(model.downloads)}
            </span>
            {model.access !== "open" && (
              <Tag>
                <Lock size={12} aria-hidden />
                {t(`adding.access.${model.access}`)}
              </Tag>
            )}
            {model.kind === "gguf" && <Tag>{t("add.kind.gguf")}</Tag>}
          </span>
        </span>
        {supported ? (
          verdict && (
            <>
              <span className={cx("flex w-24 items-center gap-1.5 text-12 font-medium", verdictColors[verdict])}>
                <VerdictIcon verdict={verdict} size={14} />
                {t(`memory.verdict.${verdict}`)}
              </span>
              {best && (
                <span className="num w-36 text-right text-12 text-ink-2 max-sm:flex max-sm:w-auto max-sm:gap-1.5">
                  <span className="block">{formatName(best.format)}</span>
                  <span className="block text-ink-3">{t("adding.about", { size: formatBytes(best.bytes) })}</span>
                </span>
              )}
            </>
          )
        ) : (
          <span className="flex max-w-[320px] items-start gap-1.5 text-12 text-ink-2">
            <CircleX size={14} strokeWidth={1.75} aria-hidden className="mt-px flex-none text-ink-3" />
            <span lang="en">{reason}</span>
          </span>
        )}
      </button>
    </li>
  )
}

function month(date: string): string {
  const time = Date.parse(date)
  return Number.isNaN(time) ? "" : new Intl.DateTimeFormat(i18n.language, { month: "short", year: "numeric" }).format(time)
}

function compact(count: number): string {
  return new Intl.NumberFormat(i18n.language, { notation: "compact", maximumFractionDigits: 1 }).format(count)
}
