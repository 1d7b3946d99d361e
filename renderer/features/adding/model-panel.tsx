// The model that is looked at: facts, where it can be had, its card, and the way to the plan.
import { Check, CircleX } from "lucide-react"
import { type ReactNode, useEffect, useRef, useState } from "react"
import { useTranslation } from "react-i18next"
import type { HubModel } from "../../../shared/schema/hub.ts"
import type { ModelInspection } from "../../../shared/schema/model.ts"
import { formatBytes, formatCount, formatLicense, formatName, formatParameters } from "../../lib/format.ts"
import { Prose } from "../../parts/prose.tsx"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { Note } from "../../ui/note.tsx"
import { SecretField } from "../../ui/secret-field.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { begin, chooseHub, saveToken } from "./actions.ts"
import { adding } from "./state.ts"

export function ModelPanel() {
  const { t } = useTranslation()
  const chosen = adding.use((part) => part.chosen)
  const createFailure = adding.use((part) => part.createFailure)
  const panel = useRef<HTMLElement>(null)
  const name = chosen?.kind === "hub" ? chosen.name : chosen?.path
  useEffect(() => {
    // On a narrow screen it stands below the list.
    if (name !== undefined && matchMedia("(max-width: 1023px)").matches) panel.current?.scrollIntoView({ block: "start" })
  }, [name])
  if (!chosen)
    return (
      <p className="rounded-card border border-line bg-card px-4 py-8 text-center text-13 text-ink-3 max-lg:hidden">
        {t("adding.chooseOne")}
      </p>
    )
  const title = chosen.kind === "hub" ? chosen.name.split("/").at(-1)! : (chosen.inspection?.name ?? chosen.path)
  return (
    <section ref={panel} aria-label={title} className="scroll-mt-4 rounded-card border border-line bg-card p-4">
      <h2 className="text-16 font-semibold tracking-title wrap-anywhere">{title}</h2>
      {chosen.failure && <FailureNote className="mt-3" failure={chosen.failure} />}
      {chosen.kind === "hub"
        ? chosen.model && <HubFacts model={chosen.model} />
        : chosen.inspection && <LocalFacts inspection={chosen.inspection} />}
      {!chosen.failure && (chosen.kind === "hub" ? chosen.model === null : chosen.inspection === null) && (
        <p role="status" className="mt-2 text-13 text-ink-3">
          {t("adding.looking")}
        </p>
      )}
      {createFailure && <FailureNote className="mt-3" failure={createFailure} />}
    </section>
  )
}

function HubFacts({ model }: { model: HubModel }) {
  const { t } = useTranslation()
  const isCreating = adding.use((part) => part.isCreating)
  const { summary, files, inspection, variants, variant, licenseUrl, pageUrl, headers } = model
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const cached = files.reduce((sum, file) => sum + (file.isCached ? file.bytes : 0), 0)
  const isClosed = headers === null && summary.access !== "open"
  const source = { kind: "hub" as const, name: summary.name, revision: model.revision, variant }
  return (
    <>
      {variants.length > 0 && variant !== null && (
        <div className="mt-3">
          <SelectField
            label={t("adding.variant")}
            value={variant}
            onChange={(next) => void chooseHub(summary.name, next)}
            options={variants.map(({ name, bytes: size }) => ({ value: name, label: name, detail: formatBytes(size) }))}
          />
        </div>
      )}
      <dl className="mt-3 flex flex-col gap-2 text-13">
        {summary.parameters !== null && <Fact name={t("models.parameters")}>{formatParameters(summary.parameters)}</Fact>}
        {summary.architecture && (
          <Fact name={t("models.architecture")}>
            <code className="font-mono text-12">{summary.architecture}</code>
          </Fact>
        )}
        {files.length > 0 && (
          <Fact name={t("adding.download")}>{t("adding.downloadFiles", { size: formatBytes(bytes), count: files.length })}</Fact>
        )}
        {cached > 0 && <Fact name={t("adding.inCache")}>{formatBytes(cached)}</Fact>}
        {inspection && <Facts inspection={inspection} />}
        <Fact name={t("models.license")}>
          <a
            href={licenseUrl ?? pageUrl}
            target="_blank"
            rel="noopener noreferrer"
            className="text-accent-ink underline underline-offset-2"
          >
            {formatLicense(summary.license)}
          </a>
        </Fact>
      </dl>
      {isClosed ? <ClosedNote model={model} /> : summary.reason && <Reason reason={summary.reason} />}
      {!isClosed && summary.reason === null && headers !== null && (
        <Button kind="primary" className="mt-4 w-full" disabled={isCreating} onClick={() => void begin(source)}>
          {t("adding.toPlan")}
        </Button>
      )}
      {model.card && (
        <details className="mt-4 border-t border-line pt-3">
          <summary className="text-13 font-medium">{t("adding.card")}</summary>
          <div lang="en" className="mt-2 max-h-[480px] overflow-auto text-13">
            <Prose text={model.card} />
          </div>
        </details>
      )}
    </>
  )
}

function LocalFacts({ inspection }: { inspection: ModelInspection }) {
  const { t } = useTranslation()
  const isCreating = adding.use((part) => part.isCreating)
  const { supported, can_be_quantized, reason } = inspection
  const isUsable = supported || can_be_quantized
  return (
    <>
      <p className="mt-1 font-mono text-12 wrap-anywhere text-ink-3">{inspection.path}</p>
      <dl className="mt-3 flex flex-col gap-2 text-13">
        <Fact name={t("models.format")}>{formatName(inspection.format)}</Fact>
        <Fact name={t("models.size")}>{formatBytes(inspection.disk_bytes)}</Fact>
        <Fact name={t("models.parameters")}>{formatParameters(inspection.parameters)}</Fact>
        <Fact name={t("models.architecture")}>
          <code className="font-mono text-12">{inspection.architecture}</code>
        </Fact>
        <Facts inspection={inspection} />
        <Fact name={t("models.license")}>{formatLicense(inspection.license)}</Fact>
      </dl>
      {!supported && reason && <Reason reason={reason} isMild={can_be_quantized} />}
      {isUsable && (
        <Button
          kind="primary"
          className="mt-4 w-full"
          disabled={isCreating}
          onClick={() => void begin({ kind: "local", path: inspection.path })}
        >
          {t("adding.toPlan")}
        </Button>
      )}
    </>
  )
}

/** What its headers tell, wherever they come from. */
function Facts({ inspection }: { inspection: ModelInspection }) {
  const { t } = useTranslation()
  return (
    <>
      {inspection.context_length > 0 && (
        <Fact name={t("models.context")}>
          {t("chat.tokens", { count: inspection.context_length, n: formatCount(inspection.context_length) })}
        </Fact>
      )}
      <Fact name={t("adding.tokenizer")}>
        {inspection.tokenizer ? (
          <span className="inline-flex items-center gap-1 text-ok">
            <Check size={14} strokeWidth={2} aria-hidden />
            {t("adding.supported")}
          </span>
        ) : (
          t("adding.none")
        )}
      </Fact>
      <Fact name={t("models.template")}>{inspection.chat_template ? t("models.templateYes") : t("models.templateNo")}</Fact>
    </>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4">
      <dt className="flex-none text-ink-3">{name}</dt>
      <dd className="num min-w-0 text-right wrap-anywhere">{children}</dd>
    </div>
  )
}

function Reason({ reason, isMild = false }: { reason: string; isMild?: boolean }) {
  const { t } = useTranslation()
  if (isMild) {
    return (
      <Note tone="caution" className="mt-4" title={t("models.onlyQuantizable")}>
        <p>{t("models.onlyQuantizableDetail")}</p>
        <p lang="en" className="mt-1 text-12">
          {reason}
        </p>
      </Note>
    )
  }
  return (
    <p className="mt-4 flex items-start gap-2 text-13 text-ink-2">
      <CircleX size={16} strokeWidth={1.75} aria-hidden className="mt-px flex-none text-stop" />
      <span lang="en">{reason}</span>
    </p>
  )
}

/** Gated and private models: the terms, and the token of who accepted them. */
export function ClosedNote({ model: { pageUrl, summary } }: { model: Pick<HubModel, "pageUrl" | "summary"> }) {
  const { t } = useTranslation()
  return (
    <Note tone="caution" className="mt-4" title={t(`adding.closed.${summary.access === "gated" ? "gated" : "private"}`)}>
      <p>{t(`adding.closedDetail.${summary.access === "gated" ? "gated" : "private"}`)}</p>
      <p className="mt-2">
        <a href={pageUrl} target="_blank" rel="noopener noreferrer" className="text-accent-ink underline underline-offset-2">
          {t("adding.openPage")}
        </a>
      </p>
      <div className="mt-3">
        <TokenField />
      </div>
    </Note>
  )
}

export function TokenField() {
  const { t } = useTranslation()
  const [error, setError] = useState<string | undefined>()
  const [isBusy, setBusy] = useState(false)
  return (
    <SecretField
      label={t("settings.token")}
      hint={t("settings.tokenHint")}
      saveLabel={t("settings.tokenSave")}
      error={error}
      isBusy={isBusy}
      onSave={async (token) => {
        setBusy(true)
        setError(undefined)
        const isTaken = await saveToken(token, setError)
        setBusy(false)
        return isTaken
      }}
    />
  )
}
