// What went wrong, where it happened: what it is, what to do, and below it the exact sentence of the part that failed.
import type { ReactNode } from "react"
import { Note } from "./note.tsx"

export interface FailureWords {
  title: string
  advice: string
  /** In English, whatever the language of the page. */
  detail: string
  /** Lines for who wants to know more: folded. */
  log: { label: string; text: string } | null
}

interface FailureNoteProps {
  failure: FailureWords
  /** Buttons. */
  action?: ReactNode
  className?: string
  /** More to say about what to do. */
  children?: ReactNode
}

export function FailureNote({ failure: { title, advice, detail, log }, action, className, children }: FailureNoteProps) {
  return (
    <Note tone="stop" title={title} action={action} className={className} details={log ?? undefined}>
      <p>{advice}</p>
      {children}
      <p lang="en" className="mt-1 text-12">
        {detail}
      </p>
    </Note>
  )
}
