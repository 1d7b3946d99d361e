// A word on what a control does, on hover and on focus. The control keeps its own accessible name.
import { Tooltip as Base } from "@base-ui/react/tooltip"
import type { ReactElement, ReactNode } from "react"
import { KeyCaps } from "./key-caps.tsx"

interface TooltipProps {
  text: ReactNode
  keys?: string[]
  side?: "top" | "right" | "bottom" | "left"
  isDisabled?: boolean
  children: ReactElement
}

export const TooltipProvider = Base.Provider

export function Tooltip({ text, keys, side = "bottom", isDisabled = false, children }: TooltipProps) {
  return (
    <Base.Root disabled={isDisabled}>
      <Base.Trigger render={children} />
      <Base.Portal>
        <Base.Positioner side={side} sideOffset={6} className="z-50">
          <Base.Popup className="appear flex max-w-[320px] items-center gap-2 rounded-control border border-line bg-raised px-2 py-1 text-12 wrap-anywhere text-ink shadow-float">
            {text}
            {keys && <KeyCaps keys={keys} />}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
