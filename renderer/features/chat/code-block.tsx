import { Check, Copy } from "lucide-react"
import { type ReactNode, useEffect, useRef, useState } from "react"
import { useTranslation } from "react-i18next"
import { copyText } from "../../lib/clipboard.ts"
import { IconButton } from "../../ui/button.tsx"

const shown_ms = 1500

/** A copy button that says for a moment that it did. */
export function CopyButton({ label, text }: { label: string; text(): string }) {
  const { t } = useTranslation()
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
      label={isDone ? t("chat.copied") : label}
      onClick={() => void copyText(text()).then(() => setDone(true))}
    />
  )
}

/** A fenced block: its language, a copy button, and lines that scroll by themselves. */
export function CodeBlock({ language, children }: { language: string | null; children: ReactNode }) {
  const { t } = useTranslation()
  const pre = useRef<HTMLPreElement>(null)
  return (
    <div className="overflow-hidden rounded-card border border-line bg-panel">
      <div className="flex h-8 items-center border-b border-line pr-1 pl-3.5 text-12 text-ink-3">
        <span className="flex-1">{language ?? t("chat.code")}</span>
        <CopyButton label={t("chat.copyCode")} text={() => pre.current?.textContent ?? ""} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre ref={pre} tabIndex={0} className="overflow-auto px-3.5 pt-2.5 pb-3 font-mono text-13 leading-5 [tab-size:4] max-sm:text-12">
        {children}
      </pre>
    </div>
  )
}
