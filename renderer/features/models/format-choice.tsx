import { useTranslation } from "react-i18next"
import { QuantizedFormat } from "../../../shared/schema/format.ts"
import { SelectField } from "../../ui/select-field.tsx"

interface FormatChoiceProps {
  label: string
  value: QuantizedFormat
  onChange(value: QuantizedFormat): void
}

/** The weight formats the quantizer writes, each with a line on what it means. */
export function FormatChoice({ label, value, onChange }: FormatChoiceProps) {
  const { t } = useTranslation()
  return (
    <SelectField
      label={label}
      hint={t(`format.${value}.meaning`)}
      value={value}
      onChange={onChange}
      options={QuantizedFormat.options.map((format) => ({
        value: format,
        label: t(`format.${format}.name`),
        detail: t(`format.${format}.meaning`),
      }))}
    />
  )
}
