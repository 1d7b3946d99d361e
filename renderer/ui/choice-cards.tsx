// A choice that wants a line of explanation for each option: radio cards.
import { Radio } from "@base-ui/react/radio"
import { RadioGroup } from "@base-ui/react/radio-group"
import { cx } from "./class-names.ts"

interface ChoiceCardsProps<V extends string> {
  label: string
  value: V
  options: { value: V; label: string; detail: string; code?: string }[]
  onChange(value: V): void
}

export function ChoiceCards<V extends string>({ label, value, options, onChange }: ChoiceCardsProps<V>) {
  return (
    <RadioGroup aria-label={label} value={value} onValueChange={onChange} className="flex flex-col gap-1">
      {options.map((option) => (
        // biome-ignore lint/a11y/noLabelWithoutControl: the radio inside is its control.
        <label
          key={option.value}
          className={cx(
            "flex items-start gap-2.5 rounded-control border px-3 py-2",
            option.value === value ? "border-accent-line bg-accent-soft" : "border-transparent hover:bg-hover",
          )}
        >
          <Radio.Root
            value={option.value}
            className="mt-0.5 size-4 flex-none rounded-full border-[1.5px] border-edge bg-raised data-checked:border-[5px] data-checked:border-accent"
          />
          <span className="min-w-0 flex-1">
            <span className="flex items-baseline gap-2 text-13 font-medium">
              {option.label}
              {option.code && <code className="font-mono text-12 font-normal text-ink-2">{option.code}</code>}
            </span>
            <span className="block text-12 leading-control text-pretty text-ink-2">{option.detail}</span>
          </span>
        </label>
      ))}
    </RadioGroup>
  )
}
