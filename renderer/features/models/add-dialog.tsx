// Adds a model from a folder or a GGUF file: look, see what it is, then take it.
import { ChevronLeft } from "lucide-react"
import { type ReactNode, useState } from "react"
import { useTranslation } from "react-i18next"
import type { ErrorData } from "../../../shared/schema/error.ts"
import type { QuantizedFormat } from "../../../shared/schema/format.ts"
import type { ModelInspection } from "../../../shared/schema/model.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes, formatCount, formatLicense, formatName, formatParameters, formatShare } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { Dialog } from "../../ui/dialog.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { SwitchField } from "../../ui/switch-field.tsx"
import { addModel } from "./actions.ts"
import { FormatChoice } from "./format-choice.tsx"
import { OnlyQuantizable } from "./only-quantizable.tsx"
import { PathPicker } from "./path-picker.tsx"
import { expertShare, models, whyUnsupported } from "./state.ts"

export function AddDialog() {
  const { t } = useTranslation()
  const [seen, setSeen] = useState<ModelInspection | null>(null)
  const [error, setError] = useState<ErrorData | null>(null)
  const look = async (path: string) => {
    setError(null)
    const inspection = await attempt(() => client["models.inspect"]({ path }), setError)
    if (inspection) setSeen(inspection)
  }
  return (
    <Dialog
      isOpen
      onClose={() => models.update({ dialog: null })}
      title={t("add.title")}
      description={t("add.lead")}
      closeLabel={t("common.close")}
      width={620}
    >
      {seen ? (
        <Seen seen={seen} onBack={() => setSeen(null)} />
      ) : (
        <div className="flex flex-col gap-3">
          {error && <FailureNote failure={describeFailure(error)} />}
          <PathPicker onPick={(path) => void look(path)} />
        </div>
      )}
    </Dialog>
  )
}

function Seen({ seen, onBack }: { seen: ModelInspection; onBack(): void }) {
  const { t } = useTranslation()
  const defaultFormat = useMain((main) => main.settings.defaultFormat)
  const { supported: canRun, can_be_quantized: canBeQuantized } = seen
  const [format, setFormat] = useState<QuantizedFormat | "as-is">(canBeQuantized ? defaultFormat : "as-is")
  // In a folder for transformers they stay as it keeps them.
  const [withExperts, setWithExperts] = useState(canRun)
  const [copy, setCopy] = useState(false)
  const [error, setError] = useState<ErrorData | null>(null)
  const [isAdding, setAdding] = useState(false)
  const chosen = format === "as-is" ? null : format
  const experts = (withExperts && seen.expert_parameters > 0 && chosen) || undefined
  const add = (wanted: QuantizedFormat | null) => {
    setAdding(true)
    void attempt(() => addModel({ path: seen.path, copy, format: wanted, experts, canRun }), setError).finally(() => setAdding(false))
  }
  return (
    <div className="flex flex-col gap-4">
      <h3 className="text-16 font-semibold tracking-title wrap-anywhere">{seen.name}</h3>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-13">
        <Row name={t("models.format")}>{formatName(seen.format)}</Row>
        <Row name={t("models.size")}>{formatBytes(seen.disk_bytes)}</Row>
        <Row name={t("models.parameters")}>{formatParameters(seen.parameters)}</Row>
        <Row name={t("models.architecture")}>
          <code className="font-mono">{seen.architecture}</code>
        </Row>
        {seen.context_length > 0 && (
          <Row name={t("models.context")}>{t("chat.tokens", { count: seen.context_length, n: formatCount(seen.context_length) })}</Row>
        )}
        <Row name={t("models.license")}>{formatLicense(seen.license)}</Row>
        <Row name={t("models.template")}>{seen.chat_template ? t("models.templateYes") : t("models.templateNo")}</Row>
      </dl>
      {!canRun && canBeQuantized && <OnlyQuantizable reason={seen.reason} />}
      {canRun || canBeQuantized ? (
        <>
          <FormatChoice label={t("add.format")} value={format} canBeAsIs={canRun} canBeQuantized={canBeQuantized} onChange={setFormat} />
          {seen.expert_parameters > 0 && chosen && (
            <SwitchField
              label={t("add.experts")}
              hint={t(canRun ? "quantize.expertsHint" : "quantize.expertsNowhere", { share: formatShare(expertShare(seen)) })}
              isOn={withExperts}
              onChange={setWithExperts}
            />
          )}
          <SwitchField label={t("add.copy")} hint={t("add.copyHint")} isOn={copy} onChange={setCopy} />
        </>
      ) : (
        <FailureNote failure={whyUnsupported(seen)} />
      )}
      {error && <FailureNote failure={describeFailure(error)} />}
      <div className="flex items-center justify-between gap-2 border-t border-line pt-4">
        <Button kind="ghost" icon={ChevronLeft} onClick={onBack}>
          {t("add.back")}
        </Button>
        <div className="flex flex-wrap justify-end gap-2">
          {!canRun && canBeQuantized && (
            <Button disabled={isAdding} onClick={() => add(null)}>
              {t("add.only")}
            </Button>
          )}
          {(canRun || canBeQuantized) && (
            <Button kind="primary" disabled={isAdding} onClick={() => add(chosen)}>
              {chosen ? t("add.andQuantize") : t("add.andLoad")}
            </Button>
          )}
        </div>
      </div>
    </div>
  )
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 text-right wrap-anywhere">{children}</dd>
    </>
  )
}
