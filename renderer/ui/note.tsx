// What is wrong or worth knowing, where it happened: icon and word, why, what to do, details folded.
import { CircleCheck, CircleX, Info, type LucideIcon, TriangleAlert } from "lucide-react"
import type { ReactNode } from "react"
import { cx } from "./class-names.ts"

const tones: Record<string, { icon: LucideIcon; box: string; mark: string }> = {
  stop: { icon: CircleX, box: "border-[color-mix(in_oklab,var(--stop)_35%,transparent)] bg-stop-soft", mark: "text-stop" },
  caution: { icon: TriangleAlert, box: "border-transparent bg-caution-soft", mark: "text-caution" },
  ok: { icon: CircleCheck, box: "border-transparent bg-ok-soft", mark: "text-ok" },
  plain: { icon: Info, box: "border-transparent bg-sunken", mark: "text-ink-2" },
}

interface NoteProps {
  tone: "stop" | "caution" | "ok" | "plain"
  title?: ReactNode
  /** Buttons. */
  action?: ReactNode
  details?: { label: string; text: string } | undefined
  className?: string
  children?: ReactNode
}

export function Note({ tone, title, action, details, className, children }: NoteProps) {
  const { icon: Icon, box, mark } = tones[tone]!
  return (
    <section
      role={tone === "stop" ? "alert" : undefined}
      className={cx("flex flex-wrap items-start gap-x-3 gap-y-2 rounded-card border px-3.5 py-3 text-13 leading-[1.45]", box, className)}
    >
      <Icon size={16} strokeWidth={1.75} aria-hidden className={cx("mt-px flex-none", mark)} />
      <div className="min-w-[180px] flex-1">
        {title && <p className="font-semibold">{title}</p>}
        {children && <div className="wrap-anywhere text-ink-2">{children}</div>}
        {details && (
          <details className="mt-1 text-12 text-ink-2">
            <summary className="font-medium">{details.label}</summary>
            <pre className="mt-1.5 font-mono text-12 leading-[18px] wrap-anywhere whitespace-pre-wrap">{details.text}</pre>
          </details>
        )}
      </div>
      {action && <div className="flex flex-wrap gap-2 self-center max-sm:ml-7 max-sm:basis-full">{action}</div>}
    </section>
  )
}
