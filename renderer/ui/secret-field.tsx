import { Input } from "@base-ui/react/input"
import { type ReactNode, useState } from "react"
import { Button } from "./button.tsx"
import { Field, fieldBox } from "./field.tsx"

interface SecretFieldProps {
  label: string
  hint?: ReactNode
  error?: string | undefined
  placeholder?: string
  saveLabel: string
  isBusy?: boolean
  /** Resolves to whether it was taken; then the field is emptied, so that the secret does not stay on the page. */
  onSave(secret: string): Promise<boolean>
}

/** For what is typed once and never shown again. */
export function SecretField({ label, hint, error, placeholder, saveLabel, isBusy = false, onSave }: SecretFieldProps) {
  const [draft, setDraft] = useState("")
  const save = async () => {
    if (draft.trim() !== "" && !isBusy && (await onSave(draft.trim()))) setDraft("")
  }
  return (
    <Field label={label} hint={hint} error={error}>
      <div className="flex gap-2">
        <Input
          type="password"
          value={draft}
          placeholder={placeholder}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && void save()}
          className={`${fieldBox} font-mono`}
        />
        <Button disabled={draft.trim() === "" || isBusy} onClick={() => void save()}>
          {saveLabel}
        </Button>
      </div>
    </Field>
  )
}
