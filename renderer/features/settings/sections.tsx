import type { ReactNode } from "react"

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="border-t border-line py-5 first-of-type:border-t-0 first-of-type:pt-2">
      <h2 className="mb-4 text-14 font-semibold">{title}</h2>
      <div className="flex flex-col gap-5">{children}</div>
    </section>
  )
}

/** A control without a label of its own, beside its name. */
export function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <span aria-hidden className="min-w-[120px] flex-1 text-13 font-medium">
        {label}
      </span>
      {children}
    </div>
  )
}
