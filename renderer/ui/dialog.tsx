// A question or a form over the page; Escape and the cross close it, focus goes back to where it was.
import { Dialog as Base } from "@base-ui/react/dialog"
import { X } from "lucide-react"
import { type ReactNode, useRef } from "react"
import { IconButton } from "./button.tsx"
import { cx } from "./class-names.ts"

interface DialogProps {
  isOpen: boolean
  onClose(): void
  title: string
  closeLabel: string
  description?: ReactNode
  /** "left" and "right": a sheet at that edge, full height. */
  place?: "middle" | "left" | "right"
  width?: number
  footer?: ReactNode
  children: ReactNode
}

const forms = {
  middle:
    "left-1/2 top-[min(8vh,64px)] max-h-[min(84vh,800px)] w-[calc(100vw-24px)] -translate-x-1/2 rounded-card border max-sm:top-3 max-sm:max-h-[calc(100vh-24px)]",
  left: "left-0 top-0 h-full w-[min(100vw,360px)] border-r",
  right: "right-0 top-0 h-full w-[min(100vw,360px)] border-l",
}

export function Dialog({ isOpen, onClose, title, closeLabel, description, place = "middle", width = 560, footer, children }: DialogProps) {
  const popup = useRef<HTMLDivElement>(null)
  // The first thing to fill in or to choose, not the cross.
  const firstControl = () => {
    const controls = popup.current?.querySelectorAll<HTMLElement>(
      "[data-part] :is([tabindex='0'], input:not([aria-hidden]), textarea, button)",
    )
    return controls?.[0] ?? true
  }
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-veil transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Base.Popup
          ref={popup}
          initialFocus={place === "middle" ? firstControl : true}
          style={place === "middle" ? { maxWidth: width } : undefined}
          className={cx(
            "fixed z-40 flex flex-col border-line-strong bg-card text-ink shadow-float outline-none transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0",
            forms[place],
          )}
        >
          <header className="flex items-start gap-3 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Base.Title className="text-16 leading-7 font-semibold tracking-title">{title}</Base.Title>
              {description && (
                <Base.Description className="mt-1 text-13 leading-prose text-pretty text-ink-2">{description}</Base.Description>
              )}
            </div>
            <Base.Close render={<IconButton icon={X} label={closeLabel} hasTooltip={false} />} />
          </header>
          <div data-part="body" className="min-h-0 flex-1 overflow-auto px-5 pb-5">
            {children}
          </div>
          {footer && (
            <footer data-part="footer" className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">
              {footer}
            </footer>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
