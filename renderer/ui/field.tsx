// One labelled row of a form: the label, what it is about, the control, and what is wrong with it.
import { Field as Base } from "@base-ui/react/field"
import { Input } from "@base-ui/react/input"
import { type ReactNode, useEffect, useState } from "react"
import { cx } from "./class-names.ts"

export const fieldBox =
  "h-8 w-full min-w-0 rounded-control border border-line-strong bg-raised px-2.5 text-13 text-ink placeholder:text-ink-3 focus-within:border-accent"

interface FieldProps {
  label: string
  hint?: ReactNode
  error?: string | undefined
  /** Beside the label, at the right. */
  value?: ReactNode
  children: ReactNode
}

export function Field({ label, hint, error, value, children }: FieldProps) {
  return (
    <Base.Root className="min-w-0" invalid={error !== undefined}>
      <div className="mb-1.5 flex items-baseline gap-2">
        <Base.Label className="text-12 font-medium text-ink-3">{label}</Base.Label>
        {value !== undefined && <span className="num ml-auto text-13 font-semibold">{value}</span>}
      </div>
      {children}
      {error !== undefined ? (
        <p role="alert" className="mt-1.5 text-12 leading-prose text-stop">
          {error}
        </p>
      ) : (
        hint && <Base.Description className="mt-1.5 text-12 leading-prose text-ink-3">{hint}</Base.Description>
      )}
    </Base.Root>
  )
}

interface TextProps {
  label: string
  hint?: ReactNode
  value: string
  placeholder?: string
  isMono?: boolean
  /** Called when the field is left or Enter is pressed, with a changed value. */
  onCommit(value: string): void
}

export function TextField({ label, hint, value, placeholder, isMono = false, onCommit }: TextProps) {
  const [draft, setDraft] = useState(value)
  useEffect(() => setDraft(value), [value])
  const commit = () => draft !== value && onCommit(draft)
  return (
    <Field label={label} hint={hint}>
      <Input
        value={draft}
        placeholder={placeholder}
        spellCheck={false}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
        className={cx(fieldBox, isMono && "font-mono")}
      />
    </Field>
  )
}

interface NumberProps {
  label: string
  hint?: ReactNode
  /** null shows the placeholder. */
  value: number | null
  min: number
  max: number
  /** Takes decimals too. */
  isDecimal?: boolean
  placeholder?: string
  /** Says why a number cannot be used. */
  outOfRange(min: number, max: number): string
  /** null when emptied. */
  onCommit(value: number | null): void
}

/** A number, typed; a whole one unless decimals are allowed. It is taken over when the field is left or Enter is pressed, if it lies in the range. */
export function NumberField({ label, hint, value, min, max, isDecimal = false, placeholder, outOfRange, onCommit }: NumberProps) {
  const shown = value === null ? "" : String(value)
  const [draft, setDraft] = useState(shown)
  useEffect(() => setDraft(shown), [shown])
  const number = Number(draft)
  const isValid = draft.trim() === "" || ((isDecimal || Number.isInteger(number)) && number >= min && number <= max)
  const commit = () => isValid && draft !== shown && onCommit(draft.trim() === "" ? null : number)
  return (
    <Field label={label} hint={hint} error={isValid ? undefined : outOfRange(min, max)}>
      <Input
        value={draft}
        inputMode={isDecimal ? "decimal" : "numeric"}
        placeholder={placeholder}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
        className={cx(fieldBox, "num")}
      />
    </Field>
  )
}
