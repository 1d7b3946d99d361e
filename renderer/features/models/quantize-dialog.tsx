import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { ErrorData } from "../../../shared/schema/error.ts"
import { BlockSize, QuantizedFormat } from "../../../shared/schema/format.ts"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatCount } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { ChoiceCards } from "../../ui/choice-cards.tsx"
import { Dialog } from "../../ui/dialog.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { quantize } from "./actions.ts"
import { models } from "./state.ts"

const blockSizes = [...BlockSize.values]

export function QuantizeDialog({ model }: { model: InstalledModel }) {
  const { t } = useTranslation()
  const [format, setFormat] = useState<QuantizedFormat>(useMain((main) => main.settings.defaultFormat))
  const [blockSize, setBlockSize] = useState<(typeof blockSizes)[number]>(64)
  const [embeddings, setEmbeddings] = useState<QuantizedFormat | undefined>()
  const hasExperts = useHasExperts(model.path)
  // Experts are nearly all of such a model: they take part unless somebody says otherwise.
  const [experts, setExperts] = useState<QuantizedFormat | "same" | undefined>("same")
  const chosenExperts = hasExperts ? (experts === "same" ? format : experts) : undefined
  const [error, setError] = useState<ErrorData | null>(null)
  return (
    <Dialog
      isOpen
      onClose={() => models.update({ dialog: null })}
      title={t("quantize.title", { name: model.name })}
      description={t("quantize.lead")}
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
        {format !== "int8" && (
          <SelectField
            label={t("quantize.blockSize")}
            hint={t("quantize.blockSizeHint")}
            value={String(blockSize)}
            onChange={(value) => setBlockSize(blockSizes.find((size) => String(size) === value) ?? 64)}
            options={blockSizes.map((size) => ({ value: String(size), label: t("quantize.weights", { n: formatCount(size) }) }))}
          />
        )}
        {hasExperts && (
          <PartFormat label={t("quantize.experts")} hint={t("quantize.expertsHint")} value={chosenExperts} onChange={setExperts} />
        )}
        <PartFormat label={t("quantize.embeddings")} hint={t("quantize.embeddingsHint")} value={embeddings} onChange={setEmbeddings} />
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

/** Whether the model is a mixture of experts; false until that is known. */
function useHasExperts(path: string): boolean {
  const [hasExperts, setHasExperts] = useState(false)
  useEffect(() => {
    let isCurrent = true
    // What cannot be looked at is told when it is quantized.
    client["models.inspect"]({ path }).then(
      ({ expert_parameters }) => isCurrent && setHasExperts(expert_parameters > 0),
      () => {},
    )
    return () => {
      isCurrent = false
    }
  }, [path])
  return hasExperts
}
