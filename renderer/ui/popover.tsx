import { Popover as Base } from "@base-ui/react/popover"
import type { ReactElement, ReactNode } from "react"

interface PopoverProps {
  trigger: ReactElement
  title: string
  align?: "start" | "center" | "end"
  children: ReactNode
}

export function Popover({ trigger, title, align = "end", children }: PopoverProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner side="bottom" align={align} sideOffset={6} collisionPadding={8} className="z-50">
          <Base.Popup className="appear w-[min(320px,calc(100vw-16px))] rounded-card border border-line-strong bg-raised p-4 text-13 text-ink shadow-float outline-none">
            <Base.Title className="mb-2 text-13 font-semibold">{title}</Base.Title>
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
