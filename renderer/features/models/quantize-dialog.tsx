import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { ErrorData } from "../../../shared/schema/error.ts"
import { BlockSize, QuantizedFormat } from "../../../shared/schema/format.ts"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatCount, formatShare } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { ChoiceCards } from "../../ui/choice-cards.tsx"
import { Dialog } from "../../ui/dialog.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { quantize } from "./actions.ts"
import { expertShare, models } from "./state.ts"

const blockSizes = [...BlockSize.values]

export function QuantizeDialog({ model }: { model: InstalledModel }) {
  const { t } = useTranslation()
  const [format, setFormat] = useState<QuantizedFormat>(useMain((main) => main.settings.defaultFormat))
  const [blockSize, setBlockSize] = useState<(typeof blockSizes)[number]>(64)
  const [embeddings, setEmbeddings] = useState<QuantizedFormat | undefined>()
  const share = useExpertShare(model.path)
  // Experts are nearly all of such a model: they take part unless somebody says otherwise, or the folder would load nowhere.
  const [experts, setExperts] = useState<QuantizedFormat | "same" | undefined>(model.supported ? "same" : undefined)
  const chosenExperts = share > 0 ? (experts === "same" ? format : experts) : undefined
  const [error, setError] = useState<ErrorData | null>(null)
  return (
    <Dialog
      isOpen
      onClose={() => models.update({ dialog: null })}
      title={t("quantize.title", { name: model.name })}
      description={t(!model.supported ? "quantize.leadOnly" : embeddings || chosenExperts ? "quantize.leadHere" : "quantize.lead")}
      closeLabel={t("common.close")}
      width={640}
      footer={
        <Button
          kind="primary"
          onClick={() =>
            void attempt(() => quantize({ modelId: model.id, format, blockSize, embeddings, experts: chosenExperts }), setError)
          }
        >
          {t("quantize.begin")}
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        {error && <FailureNote failure={describeFailure(error)} />}
        {share > 0 && (
          <PartFormat
            label={t("quantize.experts")}
            hint={t(model.supported ? "quantize.expertsHint" : "quantize.expertsNowhere", { share: formatShare(share) })}
            value={chosenExperts}
            onChange={setExperts}
          />
        )}
        <ChoiceCards<QuantizedFormat>
          label={t("quantize.format")}
          value={format}
          onChange={setFormat}
          options={QuantizedFormat.options.map((value) => ({
            value,
            label: t(`format.${value}.name`),
            detail: t(`format.${value}.meaning`),
            code: value,
          }))}
        />
        <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
          {format !== "int8" && (
            <SelectField
              label={t("quantize.blockSize")}
              hint={t("quantize.blockSizeHint")}
              value={String(blockSize)}
              onChange={(value) => setBlockSize(blockSizes.find((size) => String(size) === value) ?? 64)}
              options={blockSizes.map((size) => ({ value: String(size), label: t("quantize.weights", { n: formatCount(size) }) }))}
            />
          )}
          {/* transformers cannot load these, so of a model for transformers they stay. */}
          {model.supported && (
            <PartFormat label={t("quantize.embeddings")} hint={t("quantize.embeddingsHint")} value={embeddings} onChange={setEmbeddings} />
          )}
        </div>
      </div>
    </Dialog>
  )
}

interface PartFormatProps {
  label: string
  hint: string
  /** Undefined: 16 bits. */
  value: QuantizedFormat | undefined
  onChange(value: QuantizedFormat | undefined): void
}

/** The format of a part that stays in 16 bits unless it is asked for. */
function PartFormat({ label, hint, value, onChange }: PartFormatProps) {
  const { t } = useTranslation()
  return (
    <SelectField
      label={label}
      hint={hint}
      value={value ?? "kept"}
      onChange={(next) => onChange(QuantizedFormat.options.find((option) => option === next))}
      options={[
        { value: "kept", label: t("quantize.kept") },
        ...QuantizedFormat.options.map((option) => ({ value: option, label: t(`format.${option}.name`) })),
      ]}
    />
  )
}

/** Share of the parameters that are in experts; 0 until that is known. */
function useExpertShare(path: string): number {
  const [share, setShare] = useState(0)
  useEffect(() => {
    let isCurrent = true
    // What cannot be looked at is told when it is quantized.
    client["models.inspect"]({ path }).then(
      (inspection) => isCurrent && setShare(expertShare(inspection)),
      () => {},
    )
    return () => {
      isCurrent = false
    }
  }, [path])
  return share
}
