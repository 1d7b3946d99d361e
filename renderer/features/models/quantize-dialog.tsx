import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { ErrorData } from "../../../shared/schema/error.ts"
import { BlockSize, QuantizedFormat } from "../../../shared/schema/format.ts"
import type { InstalledModel } from "../../../shared/schema/model.ts"
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
  const [error, setError] = useState<ErrorData | null>(null)
  return (
    <Dialog
      isOpen
      onClose={() => models.update({ dialog: null })}
      title={t("quantize.title", { name: model.name })}
      description={t("quantize.lead")}
      closeLabel={t("common.close")}
      footer={
        <Button kind="primary" onClick={() => void attempt(() => quantize(model.id, format, blockSize), setError)}>
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
      </div>
    </Dialog>
  )
}
