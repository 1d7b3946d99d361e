import { Check, Copy } from "lucide-react"
import { useEffect, useState } from "react"
import { IconButton } from "./button.tsx"
import { copyText } from "./clipboard.ts"

const shown_ms = 1500

/** A copy button that says for a moment that it did. */
export function CopyButton({ label, doneLabel, text }: { label: string; doneLabel: string; text(): string }) {
  const [isDone, setDone] = useState(false)
  useEffect(() => {
    if (!isDone) return
    const timer = setTimeout(() => setDone(false), shown_ms)
    return () => clearTimeout(timer)
  }, [isDone])
  return (
    <IconButton
      icon={isDone ? Check : Copy}
      iconSize={14}
      label={isDone ? doneLabel : label}
      onClick={() => void copyText(text()).then(() => setDone(true))}
    />
  )
}
