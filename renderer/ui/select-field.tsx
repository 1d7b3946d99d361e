import { Select } from "@base-ui/react/select"
import { Check, ChevronDown } from "lucide-react"
import type { ReactNode } from "react"
import { cx } from "./class-names.ts"
import { Field, fieldBox } from "./field.tsx"

interface SelectFieldProps<V extends string> {
  label: string
  hint?: ReactNode
  value: V
  options: { value: V; label: string; detail?: string }[]
  onChange(value: V): void
}

export function SelectField<V extends string>({ label, hint, value, options, onChange }: SelectFieldProps<V>) {
  return (
    <Field label={label} hint={hint}>
      <Select.Root items={options} value={value} onValueChange={(next) => next !== null && onChange(next)} modal={false}>
        <Select.Trigger className={cx(fieldBox, "flex items-center gap-2 text-left data-popup-open:border-accent-line")}>
          <Select.Value className="min-w-0 flex-1 truncate" />
          <Select.Icon className="text-ink-3">
            <ChevronDown size={14} strokeWidth={1.75} aria-hidden />
          </Select.Icon>
        </Select.Trigger>
        <Select.Portal>
          <Select.Positioner alignItemWithTrigger={false} sideOffset={4} collisionPadding={8} className="z-50 outline-none">
            <Select.Popup className="appear max-h-[min(420px,var(--available-height))] max-w-[min(420px,calc(100vw-16px))] min-w-(--anchor-width) overflow-auto rounded-card border border-line-strong bg-raised p-1 text-13 text-ink shadow-float outline-none">
              {options.map((option) => (
                <Select.Item
                  key={option.value}
                  value={option.value}
                  className="flex gap-2 rounded-small px-2 py-1.5 outline-none data-highlighted:bg-hover"
                >
                  <span className="grid size-4 flex-none place-items-center pt-0.5 text-accent-ink">
                    <Select.ItemIndicator>
                      <Check size={14} strokeWidth={2} aria-hidden />
                    </Select.ItemIndicator>
                  </span>
                  <span className="min-w-0">
                    <Select.ItemText>{option.label}</Select.ItemText>
                    {option.detail && <span className="mt-0.5 block text-12 leading-control text-ink-3">{option.detail}</span>}
                  </span>
                </Select.Item>
              ))}
            </Select.Popup>
          </Select.Positioner>
        </Select.Portal>
      </Select.Root>
    </Field>
  )
}
