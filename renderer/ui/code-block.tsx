import { type ReactNode, useRef } from "react"
import { CopyButton } from "./copy-button.tsx"

interface CodeBlockProps {
  /** The language, or what the lines are for. */
  title: string
  copyLabel: string
  copiedLabel: string
  children: ReactNode
}

/** Lines of code that scroll by themselves, with their title and a copy button. */
export function CodeBlock({ title, copyLabel, copiedLabel, children }: CodeBlockProps) {
  const pre = useRef<HTMLPreElement>(null)
  return (
    <div className="overflow-hidden rounded-card border border-line bg-panel">
      <div className="flex h-8 items-center border-b border-line pr-1 pl-3.5 text-12 text-ink-3">
        <span className="flex-1">{title}</span>
        <CopyButton label={copyLabel} doneLabel={copiedLabel} text={() => pre.current?.textContent ?? ""} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre ref={pre} tabIndex={0} className="overflow-auto px-3.5 pt-2.5 pb-3 font-mono text-13 leading-5 [tab-size:4] max-sm:text-12">
        {children}
      </pre>
    </div>
  )
}
