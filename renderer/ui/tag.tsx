import type { ReactNode } from "react"
import { cx } from "./class-names.ts"

export function Tag({ isOn = false, children }: { isOn?: boolean; children: ReactNode }) {
  return (
    <span
      className={cx(
        "inline-flex h-5 flex-none items-center gap-1 rounded-small px-[7px] text-12 font-medium whitespace-nowrap",
        isOn ? "bg-accent-soft text-accent-ink" : "bg-hover text-ink-2",
      )}
    >
      {children}
    </span>
  )
}
