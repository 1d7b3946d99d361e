import { useTranslation } from "react-i18next"
import { QuantizedFormat } from "../../../shared/schema/format.ts"
import { SelectField } from "../../ui/select-field.tsx"

type Choice = QuantizedFormat | "as-is"

interface FormatChoiceProps {
  label: string
  value: Choice
  /** Offers to leave the weights as they are. */
  canBeAsIs?: boolean
  canBeQuantized?: boolean
  onChange(value: Choice): void
}

/** The weight formats the quantizer writes, each with a line on what it means. */
export function FormatChoice({ label, value, canBeAsIs = false, canBeQuantized = true, onChange }: FormatChoiceProps) {
  const { t } = useTranslation()
  const formats: Choice[] = [...(canBeAsIs ? (["as-is"] as const) : []), ...(canBeQuantized ? QuantizedFormat.options : [])]
  return (
    <SelectField
      label={label}
      hint={t(`format.${value}.meaning`)}
      value={value}
      onChange={onChange}
      options={formats.map((format) => ({ value: format, label: t(`format.${format}.name`), detail: t(`format.${format}.meaning`) }))}
    />
  )
}
