import { Radio } from "@base-ui/react/radio"
import { RadioGroup } from "@base-ui/react/radio-group"

interface SegmentedProps<V extends string> {
  label: string
  value: V
  options: { value: V; label: string }[]
  onChange(value: V): void
}

/** Two to four short alternatives, all visible. */
export function Segmented<V extends string>({ label, value, options, onChange }: SegmentedProps<V>) {
  return (
    <RadioGroup aria-label={label} value={value} onValueChange={onChange} className="inline-flex gap-0.5 rounded-control bg-sunken p-0.5">
      {options.map((option) => (
        <Radio.Root
          key={option.value}
          value={option.value}
          aria-label={option.label}
          className="inline-flex h-7 items-center rounded-small px-3 text-13 font-medium whitespace-nowrap text-ink-2 hover:text-ink data-checked:bg-chosen data-checked:text-ink data-checked:ring-1 data-checked:ring-line-strong"
        >
          {option.label}
        </Radio.Root>
      ))}
    </RadioGroup>
  )
}
