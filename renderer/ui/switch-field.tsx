import { Field } from "@base-ui/react/field"
import { Switch } from "@base-ui/react/switch"
import type { ReactNode } from "react"

interface SwitchFieldProps {
  label: string
  hint?: ReactNode
  isOn: boolean
  onChange(isOn: boolean): void
}

export function SwitchField({ label, hint, isOn, onChange }: SwitchFieldProps) {
  return (
    <Field.Root className="flex items-start gap-3">
      <div className="min-w-0 flex-1">
        <Field.Label className="block text-13 font-medium">{label}</Field.Label>
        {hint && <Field.Description className="mt-0.5 text-12 leading-prose text-ink-3">{hint}</Field.Description>}
      </div>
      <Switch.Root
        checked={isOn}
        onCheckedChange={onChange}
        className="mt-0.5 h-[18px] w-[30px] flex-none rounded-full bg-edge p-0.5 transition-colors data-checked:bg-accent"
      >
        <Switch.Thumb className="block size-[14px] rounded-full bg-on-accent transition-transform data-checked:translate-x-3" />
      </Switch.Root>
    </Field.Root>
  )
}
